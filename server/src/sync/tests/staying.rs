//! Devices that stay: what reaches them by itself, and what does not.

use std::time::Duration;

use gandan_core::client::{Stay, StayEvent, SyncReport};
use gandan_core::model::{Area, DeviceId};
use gandan_core::policy::Author;
use gandan_core::protocol::frame::FrameDecoder;
use gandan_core::protocol::initiator::{Initiator, Progress};
use gandan_core::protocol::message::{DeviceMessage, WardMessage};
use gandan_core::store::rows::CaseQuery;
use tokio::sync::mpsc;

use super::*;

/// Nothing here takes a second; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A phone that stays connected.
struct Staying {
    phone: Replica,
    stay: Stay,
    heard: mpsc::UnboundedReceiver<Progress>,
    staying: JoinHandle<Result<SyncReport, SyncError>>,
}

impl Staying {
    /// Stays, with everything read.
    async fn begin(phone: Replica) -> Self {
        let stay = Stay::default();
        let (tell, heard) = mpsc::unbounded_channel();
        let staying = tokio::spawn({
            let (phone, stay) = (phone.clone(), stay.clone());
            async move {
                let mut progress = move |progress: &Progress| {
                    let _ = tell.send(progress.clone());
                };
                Client::new(phone).follow(&stay, &mut progress).await
            }
        });
        let mut begun = Self {
            phone,
            stay,
            heard,
            staying,
        };
        begun.hear(|progress| *progress == Progress::CaughtUp).await;
        begun
    }

    async fn hear(&mut self, is_it: impl Fn(&Progress) -> bool) {
        let heard = async {
            while let Some(progress) = self.heard.recv().await {
                if is_it(&progress) {
                    return;
                }
            }
            panic!("the connection ended");
        };
        let heard = tokio::time::timeout(PATIENCE, heard).await;
        heard.expect("it is heard of in time");
    }

    async fn hear_edits(&mut self) {
        self.hear(|progress| matches!(progress, Progress::Received { .. }))
            .await;
    }

    async fn hear_of_cases(&mut self, expected: &[&str]) {
        while self.cases() != expected {
            self.hear_edits().await;
        }
    }

    fn cases(&self) -> Vec<String> {
        let cases = self.phone.cases(&CaseQuery::default()).unwrap();
        let mut texts: Vec<_> = cases.into_iter().map(|found| found.row.case.text).collect();
        texts.sort();
        texts
    }

    async fn end(self) -> Result<SyncReport, SyncError> {
        let ended = tokio::time::timeout(PATIENCE, self.staying).await;
        ended.expect("it ends in time").unwrap()
    }

    async fn leave(self) -> SyncReport {
        self.stay.leave();
        self.end().await.unwrap()
    }
}

impl Serving {
    async fn phone_of(&self, name: &str, areas: &[&str]) -> Replica {
        let areas: Vec<String> = areas.iter().map(|&area| area.to_owned()).collect();
        let officer = self.ward.officer(name, Role::Officer, &areas).unwrap();
        let addresses = [self.address.to_string()];
        let invite = self.ward.invite(officer, &addresses, HOUR_MS).unwrap();
        let phone = self.store(name);
        client::enrol(&phone, &invite, name).await.unwrap();
        phone
    }

    fn add_areas(&self) {
        for code in ["kp1", "kp2"] {
            self.add_area(code);
        }
    }

    fn add_area(&self, code: &str) {
        let area = Area {
            code: code.to_owned(),
            name: code.to_owned(),
            type_label: "khu phố".to_owned(),
            parent: None,
            old_names: Vec::new(),
            valid_from: "2025-07-01".to_owned(),
            valid_to: None,
        };
        self.ward.add_area(&area).unwrap();
    }

    fn triage(&self) -> Author {
        Author {
            officer: self.ward.officer("Phạm Thu", Role::Triage, &[]).unwrap(),
            role: Role::Triage,
        }
    }

    fn device_of(&self, phone: &Replica) -> DeviceId {
        DeviceId::of(&phone.device_key())
    }

    /// As an admin command does, which is another process.
    fn elsewhere(&self) -> Ward {
        let folder = self.folder.path().join("ward");
        Ward::open(&folder, Arc::new(SystemEnvironment)).unwrap()
    }
}

fn case(text: &str, area: &str) -> NewCase {
    NewCase {
        text: text.to_owned(),
        area: Some(area.to_owned()),
        ..NewCase::default()
    }
}

async fn record(phone: &Replica, text: &str, area: &str) {
    phone.record_case(case(text, area)).unwrap();
    client::sync(phone, &mut |_| {}).await.unwrap();
}

#[tokio::test]
async fn a_colleagues_case_and_an_acceptance_reach_phones_that_stay_without_asking() {
    let serving = Serving::start();
    serving.add_areas();
    let mut hoa = Staying::begin(serving.phone_of("Hoa", &["kp1"]).await).await;
    let mut minh = Staying::begin(serving.phone_of("Minh", &["kp1"]).await).await;

    let recorded = hoa.phone.record_case(case("Cống tắc", "kp1")).unwrap();
    hoa.stay.recorded();
    minh.hear_of_cases(&["Cống tắc"]).await;

    let number = serving.ward.accept(serving.triage(), recorded.id).unwrap();
    for staying in [&mut hoa, &mut minh] {
        let has_number = |phone: &Replica| {
            let known = phone.case(recorded.id).unwrap().unwrap();
            known.case.official_number.as_ref() == Some(&number)
        };
        while !has_number(&staying.phone) {
            staying.hear_edits().await;
        }
    }
    assert_eq!(hoa.leave().await.pending, 0);
    let heard = minh.leave().await;
    assert_eq!(heard.received, 3, "a case, its acceptance and its number");
    serving.stop().await;
}

#[tokio::test]
async fn a_phone_that_a_change_does_not_concern_hears_nothing_at_all() {
    let serving = Serving::start();
    serving.add_areas();
    let hoa = serving.phone_of("Hoa", &["kp1"]).await;
    let lan = serving.phone_of("Lan", &["kp2"]).await;
    let nam = serving.phone_of("Nam", &["kp2"]).await;
    let first = Staying::begin(nam.clone()).await;
    first.leave().await;

    let mut without = Staying::begin(nam.clone()).await;
    record(&lan, "Đèn hỏng 1", "kp2").await;
    without.hear_edits().await;
    let without = without.leave().await;
    let mut with = Staying::begin(nam).await;
    for number in 0..5 {
        record(&hoa, &format!("Cống tắc {number}"), "kp1").await;
    }
    record(&lan, "Đèn hỏng 2", "kp2").await;
    with.hear_edits().await;
    let with = with.leave().await;
    assert!(
        with.payload_down.abs_diff(without.payload_down) < 40,
        "an empty page has 200 bytes: {} and {}",
        with.payload_down,
        without.payload_down
    );
    assert_eq!(with.received, 1);
    serving.stop().await;
}

#[tokio::test]
async fn other_areas_and_moved_cases_reach_a_phone_that_stays() {
    let serving = Serving::start();
    serving.add_areas();
    let hoa = serving.phone_of("Hoa", &[]).await;
    let mut nam = Staying::begin(serving.phone_of("Nam", &["kp2"]).await).await;
    record(&hoa, "Cống tắc", "kp1").await;

    serving.ward.set_areas("Nam", &["kp1".to_owned()]).unwrap();
    nam.hear_of_cases(&["Cống tắc"]).await;
    let id = nam.phone.cases(&CaseQuery::default()).unwrap()[0]
        .row
        .case
        .id;
    let elsewhere = gandan_core::replica::CaseChange {
        area: Some("kp2".to_owned()),
        ..Default::default()
    };
    hoa.edit_case(id, elsewhere).unwrap();
    client::sync(&hoa, &mut |_| {}).await.unwrap();
    // It says nothing when something is forgotten: the next one shows that it was.
    record(&hoa, "Ngập nước", "kp1").await;
    nam.hear_of_cases(&["Ngập nước"]).await;
    nam.leave().await;
    serving.stop().await;
}

#[tokio::test]
async fn a_new_area_reaches_a_phone_that_stays() {
    let serving = Serving::start();
    let hoa = serving.phone_of("Hoa", &[]).await;
    let nam = Staying::begin(serving.phone_of("Nam", &[]).await).await;
    let (tell, mut told) = mpsc::unbounded_channel();
    nam.phone.observe(Box::new(move |_| {
        let _ = tell.send(());
    }));
    serving.add_area("kp9");
    tokio::time::timeout(PATIENCE, told.recv()).await.unwrap();
    let areas = nam.phone.directory().unwrap().areas;
    assert!(areas.iter().any(|area| area.code == "kp9"));
    drop(hoa);
    nam.leave().await;
    serving.stop().await;
}

#[tokio::test]
async fn a_phone_that_stays_is_closed_when_it_is_revoked_by_whichever_process() {
    let serving = Serving::start();
    for is_elsewhere in [false, true] {
        let name = if is_elsewhere { "Hoa" } else { "Minh" };
        let staying = Staying::begin(serving.phone_of(name, &[]).await).await;
        let device = serving.device_of(&staying.phone);
        if is_elsewhere {
            serving.elsewhere().revoke(device).unwrap();
        } else {
            serving.ward.revoke(device).unwrap();
        }
        let refused = staying.end().await;
        assert!(
            matches!(refused, Err(SyncError::Refused(Refusal::Revoked))),
            "{refused:?}"
        );
    }
    serving.stop().await;
}

#[tokio::test]
async fn what_another_process_changes_reaches_a_phone_that_stays() {
    let serving = Serving::start();
    let phone = serving.phone_of("Hoa", &[]).await;
    record(&phone, "Cống tắc", "kp1").await;
    let case = phone.cases(&CaseQuery::default()).unwrap()[0].row.case.id;
    let triage = serving.triage();
    let mut hoa = Staying::begin(phone).await;
    let number = serving.elsewhere().accept(triage, case).unwrap();
    hoa.hear_edits().await;
    let known = hoa.phone.case(case).unwrap().unwrap();
    assert_eq!(known.case.official_number, Some(number));
    hoa.leave().await;
    serving.stop().await;
}

#[tokio::test]
async fn a_ward_that_stops_says_so_to_phones_that_stay() {
    let serving = Serving::start();
    let staying = Staying::begin(serving.phone_of("Hoa", &[]).await).await;
    serving.stop().await;
    let ended = staying.end().await;
    assert!(
        matches!(
            ended,
            Err(SyncError::Conversation(ConversationError::Interrupted))
        ),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_phone_whose_ward_was_started_anew_comes_again_by_itself() {
    let serving = Serving::start();
    let phone = serving.phone_of("Hoa", &[]).await;
    let stay = Stay::default();
    let (tell, mut told) = mpsc::unbounded_channel();
    let staying = tokio::spawn({
        let (phone, stay) = (phone.clone(), stay.clone());
        async move {
            let mut tell = move |event| {
                let _ = tell.send(event);
            };
            Client::new(phone).stay(&stay, &mut tell).await
        }
    });
    let is_caught_up = |event: &StayEvent| matches!(event, StayEvent::Progress(Progress::CaughtUp));
    let mut hear = async |is_it: &dyn Fn(&StayEvent) -> bool| {
        let heard = async { while !is_it(&told.recv().await.unwrap()) {} };
        tokio::time::timeout(PATIENCE, heard).await.unwrap();
    };
    hear(&is_caught_up).await;
    let serving = serving.restart().await;
    hear(&|event| matches!(event, StayEvent::Waiting { .. })).await;
    phone.record_case(case("Cống tắc", "kp1")).unwrap();
    stay.network_changed();
    hear(&is_caught_up).await;
    assert!(phone.pending().unwrap().is_empty());

    let device = serving.device_of(&phone);
    serving.ward.revoke(device).unwrap();
    let ended = tokio::time::timeout(PATIENCE, staying).await.unwrap();
    assert!(
        matches!(ended, Ok(Err(SyncError::Refused(Refusal::Revoked)))),
        "no attempt helps: {ended:?}"
    );
    serving.stop().await;
}

/// Words that do not compress.
fn noise(seed: u32) -> String {
    let mut bytes = [0; 6_000];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    data_encoding::BASE64.encode(&bytes)
}

/// A phone whose store is asked only when the test says so.
struct Slow {
    phone: Replica,
    initiator: Initiator,
    decoder: FrameDecoder,
    send: quinn::SendStream,
    receive: quinn::RecvStream,
    _connection: Connection,
}

impl Slow {
    async fn begin(serving: &Serving, phone: Replica) -> Self {
        let endpoint = endpoint();
        let key = phone.device_key();
        let config = tls::client_config(&key, serving.ward.key(), ALPN_SYNC).unwrap();
        let connecting = endpoint.connect_with(config, serving.address, "ward");
        let connection = connecting.unwrap().await.unwrap();
        let (send, receive) = connection.open_bi().await.unwrap();
        let mut initiator = Initiator::new(phone.begin_conversation("slow").unwrap().unwrap());
        initiator.stay();
        let mut slow = Self {
            phone,
            initiator,
            decoder: FrameDecoder::new(WardMessage::payload_limit),
            send,
            receive,
            _connection: connection,
        };
        slow.work().await;
        let mut caught_up = 0;
        while caught_up < 2 {
            caught_up += u32::from(matches!(slow.hear().await, WardMessage::CaughtUp { .. }));
            slow.work().await;
        }
        slow
    }

    /// Stores what came and says what there is to say.
    async fn work(&mut self) {
        while let Some(command) = self.initiator.poll_command() {
            let answer = self.phone.execute(command).unwrap();
            self.initiator.handle_answer(answer);
        }
        while let Some(bytes) = self.initiator.poll_transmit() {
            self.send.write_all(&bytes).await.unwrap();
        }
    }

    /// The next message of the ward, as it arrives and is not stored.
    async fn hear(&mut self) -> WardMessage {
        loop {
            let mut byte = [0];
            let read = self.receive.read_exact(&mut byte);
            tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
            let Some(frame) = self.decoder.next(&mut &byte[..]).unwrap() else {
                continue;
            };
            let message = WardMessage::decode(&frame).unwrap();
            if !matches!(message, WardMessage::Edits(_)) {
                self.initiator.handle_bytes(&message.encode()).unwrap();
            }
            return message;
        }
    }

    fn cases(&self) -> usize {
        self.phone.cases(&CaseQuery::default()).unwrap().len()
    }
}

#[tokio::test]
async fn a_phone_that_takes_nothing_costs_the_ward_two_pages_and_hears_the_rest_later() {
    const CASES: usize = 200;
    let serving = Serving::start();
    let hoa = serving.phone_of("Hoa", &[]).await;
    let nam = serving.phone_of("Nam", &[]).await;
    let mut slow = Slow::begin(&serving, nam).await;
    for number in 0..CASES {
        hoa.record_case(case(&noise(number as u32), "kp1")).unwrap();
    }
    client::sync(&hoa, &mut |_| {}).await.unwrap();

    assert!(matches!(slow.hear().await, WardMessage::Page(_)));
    let mut pages = 1;
    // The ward answers in order: a page that is under way comes before this answer.
    for _ in 0..3 {
        let want = DeviceMessage::Want(Vec::new()).encode();
        slow.send.write_all(&want).await.unwrap();
        while slow.hear().await != WardMessage::Edits(None) {
            pages += 1;
        }
    }
    assert!(pages <= 2, "{pages}");
    while slow.cases() < CASES {
        slow.work().await;
        if slow.cases() < CASES {
            slow.hear().await;
        }
    }
    serving.stop().await;
}
