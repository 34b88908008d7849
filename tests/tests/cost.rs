//! What a conversation costs between a real phone and a real ward: a return costs what changed, not
//! what exists.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps fails with a line number, which is what a test is for"
)]

use std::sync::Arc;

use gandan_core::environment::Environment;
use gandan_core::model::{DeviceId, Person, ReportedKind, Role, Urgency};
use gandan_core::protocol::enrolment::EnrolmentRequest;
use gandan_core::protocol::initiator::Initiator;
use gandan_core::protocol::responder::Responder;
use gandan_core::replica::{Agreement, NewCase, Replica};
use gandan_core::store::StoreKey;
use gandan_core::store::rows::{self, CaseQuery};
use gandan_server::ward::Ward;
use gandan_tests::disk::Disk;
use gandan_tests::simulation::world::{Clock, Dice, SimulatedEnvironment, Skew};
use tempfile::TempDir;

/// Nothing to say, nothing to hear: everything that both sides say.
const IDLE_PAYLOAD_BYTES_MAX: usize = 200;

/// A tree that is one level deeper, and what a few more pages between the root and a leaf cost.
const DEEPER_READS_MAX: u64 = 12;

struct Pair {
    ward: Ward,
    phone: Replica,
    clock: Clock,
    folder: TempDir,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    up: usize,
    down: usize,
    /// Flights of the ward's that the phone waited for.
    exchanges: usize,
    /// As the phone counts them.
    round_trips: u32,
}

impl Pair {
    fn new() -> Self {
        Self::within(tempfile::tempdir().expect("the test machine has a temporary folder"))
    }

    fn within(folder: TempDir) -> Self {
        let clock = Clock::default();
        let environment = |purpose| environment(&clock, purpose);
        let code = "26995".parse().expect("a ward code");
        let ward = Ward::init(&folder.path().join("ward"), code, environment(1)).unwrap();
        let officer = ward.officer("Nguyễn Thị Hoa", Role::Leader, &[]).unwrap();
        let invite = ward
            .invite(officer, &["127.0.0.1:1".to_owned()], 3_600_000)
            .unwrap();
        let phone = open_phone(&folder, environment(2));
        let request = EnrolmentRequest {
            token: invite.token,
            device_name: "phone".to_owned(),
        };
        let enrolment = ward.enrol(device(&phone), &request).unwrap().unwrap();
        phone.set_enrolment(&enrolment).unwrap();
        Self {
            ward,
            phone,
            clock,
            folder,
        }
    }

    /// Both programs start again and have nothing in memory.
    fn started_again(self) -> Self {
        let Self {
            ward,
            phone,
            clock,
            folder,
        } = self;
        drop((ward, phone));
        Self {
            ward: Ward::open(&folder.path().join("ward"), environment(&clock, 3)).unwrap(),
            phone: open_phone(&folder, environment(&clock, 4)),
            clock,
            folder,
        }
    }

    fn record(&self, numbers: std::ops::Range<usize>) {
        for number in numbers {
            self.clock.advance_ms(7 * 60 * 1_000);
            self.phone.record_case(case(number)).unwrap();
        }
    }

    /// One conversation, flight by flight: each side says all that it can before the other hears.
    fn meet(&self) -> Cost {
        let opening = self.phone.begin_conversation("0.1.0").unwrap().unwrap();
        let mut initiator = Initiator::new(opening);
        let mut responder = Responder::new();
        let mut cost = Cost {
            up: 0,
            down: 0,
            exchanges: 0,
            round_trips: 0,
        };
        while !initiator.is_finished() {
            let before = (cost.up, cost.down);
            loop {
                if let Some(command) = initiator.poll_command() {
                    initiator.handle_answer(self.phone.execute(command).unwrap());
                } else if let Some(bytes) = initiator.poll_transmit() {
                    cost.up += bytes.len();
                    responder.handle_bytes(&bytes).unwrap();
                } else {
                    break;
                }
            }
            let mut flight = Vec::new();
            loop {
                if let Some(command) = responder.poll_command() {
                    let answer = self.ward.execute(device(&self.phone), command).unwrap();
                    responder.handle_answer(answer);
                } else if let Some(bytes) = responder.poll_transmit() {
                    flight.extend(bytes);
                } else {
                    break;
                }
            }
            if !flight.is_empty() {
                cost.down += flight.len();
                cost.exchanges += 1;
                initiator.handle_bytes(&flight).unwrap();
            }
            assert_ne!((cost.up, cost.down), before, "nobody has anything to say");
        }
        cost.round_trips = initiator.round_trips();
        cost
    }
}

fn environment(clock: &Clock, purpose: u64) -> Arc<dyn Environment> {
    SimulatedEnvironment::new(clock.clone(), Skew::default(), Dice::new(1, purpose))
}

fn open_phone(folder: &TempDir, environment: Arc<dyn Environment>) -> Replica {
    let key = StoreKey::new([7; 32]);
    Replica::open(&folder.path().join("phone"), &key, environment).unwrap()
}

fn device(phone: &Replica) -> DeviceId {
    DeviceId::of(&phone.device_key())
}

/// A report as an officer types it: no two are alike, and they are alike as reports are.
fn case(number: usize) -> NewCase {
    const WHAT: &[&str] = &[
        "Cống trước nhà bị nghẹt, mưa lớn là nước tràn vào nhà",
        "Đèn đường hẻm hỏng hai tuần nay, buổi tối đi lại rất nguy hiểm",
        "Hàng quán lấn chiếm vỉa hè, người già phải đi xuống lòng đường",
        "Karaoke mở lớn sau mười giờ đêm, trẻ nhỏ không ngủ được",
        "Rác không được thu gom từ thứ sáu, bốc mùi hôi",
        "Dây điện chùng xuống thấp, xe tải đi qua bị vướng",
        "Xin hướng dẫn thủ tục hỗ trợ cho mẹ già trên tám mươi tuổi",
    ];
    const DETAIL: &[&str] = &[
        "đã báo tổ trưởng nhưng chưa thấy ai đến",
        "đề nghị phường kiểm tra và trả lời cho bà con",
        "mong được xử lý trước mùa mưa",
        "nhà số 12 và số 14 cũng bị như vậy",
        "người dân đồng ý góp công nếu phường cho vật tư",
    ];
    const FAMILY: &[&str] = &["Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Võ"];
    const NAME: &[&str] = &[
        "Văn Hùng",
        "Thị Lan",
        "Minh Tuấn",
        "Thị Bích Thủy",
        "Quốc Bảo",
    ];
    let pick = |list: &[&'static str], step: usize| list[(number * step + number / 5) % list.len()];
    let citizen = (!number.is_multiple_of(4)).then(|| Person {
        name: Some(format!("{} {}", pick(FAMILY, 5), pick(NAME, 3))),
        phone: Some(format!("09{:08}", (number * 7_654_321) % 100_000_000)),
        address: Some(format!(
            "{}/{} Lạc Long Quân",
            number * 13 % 400,
            number % 30
        )),
        ..Person::default()
    });
    NewCase {
        place: Some(format!(
            "Khu phố {}, tổ {}",
            number % 12 + 1,
            number * 5 % 40 + 1
        )),
        kind: Some(if number.is_multiple_of(3) {
            ReportedKind::Petition
        } else {
            ReportedKind::Report
        }),
        category: ["drainage", "lighting", "order", "noise", "waste"][number % 5].to_owned(),
        urgency: Some(if number.is_multiple_of(9) {
            Urgency::High
        } else {
            Urgency::Normal
        }),
        text: format!(
            "{} {}, {}",
            pick(WHAT, 3),
            number * 31 % 97,
            pick(DETAIL, 2)
        ),
        citizen,
        ..NewCase::default()
    }
}

#[test]
fn an_idle_return_costs_the_same_with_little_and_with_much() {
    let pair = Pair::new();
    pair.record(0..10);
    pair.meet();
    let little = pair.meet();
    pair.record(10..400);
    pair.meet();
    let much = pair.meet();
    println!("idle return: {much:?}");
    for cost in [little, much] {
        assert_eq!((cost.exchanges, cost.round_trips), (1, 1));
        assert!(cost.up + cost.down <= IDLE_PAYLOAD_BYTES_MAX, "{cost:?}");
    }
    // The place in the feed has more digits; that is all.
    assert!(much.up - little.up <= 2, "{little:?} {much:?}");
    assert_eq!(much.down, little.down);
}

#[test]
fn an_idle_return_reads_as_little_of_much_as_of_little() {
    let folder = tempfile::tempdir().expect("the test machine has a temporary folder");
    let disk = Disk::under(folder.path());
    let mut pair = Pair::within(folder);
    let mut reads = Vec::new();
    for numbers in [0..40, 40..640] {
        pair.record(numbers);
        pair.meet();
        pair = pair.started_again();
        let before = disk.reads();
        pair.meet();
        reads.push(disk.reads() - before);
    }
    println!("pages read by an idle return of 40 and of 640 cases: {reads:?}");
    assert!(reads[1] <= reads[0] + DEEPER_READS_MAX, "{reads:?}");
}

#[test]
fn forty_cases_cost_one_exchange() {
    let pair = Pair::new();
    pair.meet();
    let idle = pair.meet();
    pair.record(0..40);
    let cost = pair.meet();
    println!("forty cases: {cost:?}; idle before: {idle:?}");
    assert_eq!((cost.exchanges, cost.round_trips), (1, 1));
    assert!(pair.phone.pending().unwrap().is_empty());
    // What comes down is the ward's word on each edit: 48 bytes that do not compress, and little else.
    let edits = 40 + 30;
    assert!(cost.down < edits * 64 + 300, "{cost:?}");
}

#[test]
fn a_restored_ward_costs_what_it_lost_and_not_what_there_is() {
    let mut pair = Pair::new();
    pair.record(0..400);
    pair.meet();
    let folder = pair.folder.path();
    let (old, live) = (folder.join("old"), folder.join("ward"));
    std::fs::create_dir(&old).unwrap();
    for entry in std::fs::read_dir(&live).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), old.join(entry.file_name())).unwrap();
    }
    pair.record(400..403);
    pair.meet();
    let all = pair.phone.cases(&CaseQuery::default()).unwrap().len();

    let environment =
        SimulatedEnvironment::new(pair.clock.clone(), Skew::default(), Dice::new(1, 3));
    pair.ward = Ward::open(&old, environment).unwrap();
    let cost = pair.meet();
    println!("a ward that lost three cases of {all}: {cost:?}");
    let there = pair
        .ward
        .read(|connection| rows::cases(connection, &CaseQuery::default()));
    assert_eq!(there.unwrap().len(), all);
    assert!(cost.up < 6_000, "{cost:?}");
    assert_eq!(pair.phone.pending().unwrap(), []);
    assert!(matches!(
        pair.phone.agreement().unwrap(),
        Agreement::Synced { .. }
    ));
}
