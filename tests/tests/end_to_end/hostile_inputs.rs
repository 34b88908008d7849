//! What a stolen phone can seal and send to cost the ward memory or time. Each gets its verdict, within the
//! bounds that `docs/security.md` states, and the same phone's other work is taken all the while.

use ed25519_dalek::Signer as _;
use gandan_core::codec::Writer;
use gandan_core::document::schema;
use gandan_core::edit::{Edit, EncodedEdit, FieldName, Operation};
use gandan_core::model::{ActorId, DocumentKind, EditId, IntentId, Timestamp, WardCode};
use gandan_core::policy::RejectionCode;
use gandan_core::protocol::bundle;
use gandan_core::protocol::message::{DeviceMessage, WardMessage};
use gandan_core::protocol::verdict::Verdict;

use crate::fixture::{Town, case};
use crate::hostile::read_feed;
use crate::hostile_peer::{HonestPhone, HostilePeer};

/// What one input may add to the most that the server has held, and what it may take of a processor. This is the
/// debug build; the release is some ten times as fast.
const MEMORY_MIB_MAX: f64 = 64.0;
const CPU_MS_MAX: u64 = 2_500;

/// A stolen leader's phone and a case of somebody else's that it may write to.
struct Attack {
    town: Town,
    peer: HostilePeer,
    honest: HonestPhone,
    case: EncodedEdit,
    own_sequence: std::cell::Cell<u64>,
}

const OWN_ACTOR: ActorId = ActorId([1; 16]);

impl Attack {
    fn begin() -> Self {
        let town = Town::new();
        let victim = town.phone("victim");
        let _ = victim.record(&[case(90)]);
        let _ = victim.sync();
        let peer = HostilePeer::enrolled(&town, 200);
        let theirs = read_feed(&peer);
        let case = theirs
            .into_iter()
            .find(|edit| edit.edit().document.kind == DocumentKind::Case)
            .expect("a leader reads every case");
        Self {
            honest: HonestPhone::begin(&town),
            town,
            peer,
            case,
            own_sequence: std::cell::Cell::new(0),
        }
    }

    /// One household more, which anybody in scope may say.
    fn edit(&self, actor: ActorId, sequence: u64, intent: u64) -> Edit {
        let mut intent_bytes = [actor.0[0]; 16];
        intent_bytes[..8].copy_from_slice(&intent.to_le_bytes());
        Edit {
            document: self.case.edit().document,
            intent: IntentId(intent_bytes),
            actor,
            sequence,
            dependencies: vec![self.case.id()],
            device_time: Timestamp(0),
            operations: vec![Operation::Increment {
                field: FieldName::new(schema::field::HOUSEHOLDS).unwrap(),
                by: 1,
            }],
        }
    }

    /// The next thing that the phone does as it should: each builds on the case alone, under a new actor.
    fn own_work(&self) -> EncodedEdit {
        let number = self.own_sequence.get() + 1;
        self.own_sequence.set(number);
        let mut actor = OWN_ACTOR;
        actor.0[8..].copy_from_slice(&number.to_le_bytes());
        EncodedEdit::encode(self.edit(actor, 1, number)).unwrap()
    }

    fn sealed(&self, edits: &[EncodedEdit]) -> Vec<u8> {
        let (_, sealed, count) = bundle::seal(&self.peer.key, self.peer.ward, Timestamp(0), edits);
        assert_eq!(count, edits.len());
        sealed
    }

    /// Sends `bundle`, and after it own work, which must be taken; gives the verdicts on the bundle.
    fn said_to(&self, what: &str, bundle: Vec<u8>) -> Vec<Verdict> {
        let held = self.town.server.forget_peak();
        let busy = self.town.server.cpu_ms();
        let own = self.sealed(&[self.own_work()]);
        let said = self
            .peer
            .converse(&[DeviceMessage::Bundle(bundle), DeviceMessage::Bundle(own)]);
        let grown = self.town.server.peak_mib() - held;
        let took = self.town.server.cpu_ms() - busy;
        eprintln!("{what}: {grown:.1} MiB, {took} ms of processor, the honest phone's beside it");
        assert!(grown < MEMORY_MIB_MAX, "{what}: {grown} MiB");
        assert!(took < CPU_MS_MAX, "{what}: {took} ms");
        let mut verdicts = said.into_iter().filter_map(|message| match message {
            WardMessage::Verdicts { verdicts, .. } => Some(verdicts),
            _ => None,
        });
        let on_it = verdicts.next().expect("a word on the first");
        let on_own = verdicts.next().expect("a word on the second");
        assert!(
            matches!(on_own[..], [Verdict::Accepted { .. }]),
            "{what}: own work was not taken: {on_own:?}"
        );
        on_it
    }

    fn end(self) {
        let _ = self.honest.end();
        let mut town = self.town;
        assert!(town.server.is_serving());
        assert!(!town.server.log_text().contains("panicked"));
    }
}

const fn rejected(code: RejectionCode) -> Verdict {
    Verdict::Rejected { code }
}

/// A bundle of `packed`, sealed as docs/wire.md says, whatever it holds.
fn sealed_by_hand(peer: &HostilePeer, ids: &[EditId], packed: &[u8]) -> Vec<u8> {
    let head = |writer: &mut Writer| {
        writer
            .fixed(peer.ward.as_bytes())
            .fixed(peer.device().as_bytes())
            .signed(0);
    };
    let mut signed = Writer::new();
    signed.fixed(b"gandan/1/bundle\0");
    head(&mut signed);
    signed.count(ids.len());
    for id in ids {
        signed.fixed(&id.0);
    }
    let signature = peer.key.sign(&signed.finish()).to_bytes();
    let mut sealed = Writer::new();
    sealed.byte(1);
    head(&mut sealed);
    sealed.fixed(&signature).fixed(packed);
    sealed.finish()
}

/// A zstd frame of zeros: each block of four bytes becomes 128 KiB.
fn bomb(blocks: usize) -> Vec<u8> {
    const BLOCK_BYTES: u32 = 128 * 1024;
    // Magic number, no content size, a window of 128 KiB; then blocks that repeat one byte.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for number in 1..=blocks {
        let header = BLOCK_BYTES << 3 | 1 << 1 | u32::from(number == blocks);
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

#[test]
fn a_bundle_that_inflates_to_gigabytes_is_refused_within_its_bound() {
    let attack = Attack::begin();
    let bomb = bomb(60_000);
    assert!(bomb.len() < 256 * 1024 - 200, "it is what a frame may hold");
    // 60,000 blocks are 7.3 GiB. Layout, no bits, then the content.
    let packed = [&[1, 0], &bomb[..]].concat();
    let sealed = sealed_by_hand(&attack.peer, &[], &packed);
    assert_eq!(attack.said_to("7.3 GiB in 240 KiB", sealed), []);
    attack.end();
}

#[test]
fn an_edit_of_a_million_operations_is_refused_alone() {
    let attack = Attack::begin();
    let single = attack.edit(ActorId([2; 16]), 1, 1);
    let mut double = single.clone();
    double.operations.push(double.operations[0].clone());
    let [single, double] =
        [single, double].map(|edit| EncodedEdit::encode(edit).unwrap().bytes().to_vec());
    let count = single
        .iter()
        .zip(&double)
        .position(|(a, b)| a != b)
        .unwrap();
    assert_eq!((single[count], double[count]), (1, 2));
    let operation = &single[count + 1..];
    let mut million = Writer::new();
    million.fixed(&single[..count]).unsigned(1_000_000);
    let mut million = million.finish();
    while million.len() + operation.len() < 1_000_000 {
        million.extend_from_slice(operation);
    }
    let good = attack.own_work();
    let packed = gandan_core::protocol::packing::pack(
        gandan_core::protocol::packing::Effort::Once,
        [&million[..], good.bytes()],
    );
    let ids = [EditId(*blake3::hash(&million).as_bytes()), good.id()];
    let sealed = sealed_by_hand(&attack.peer, &ids, &packed);
    let verdicts = attack.said_to("a million operations", sealed);
    assert_eq!(verdicts[0], rejected(RejectionCode::Malformed));
    assert!(
        matches!(verdicts[1], Verdict::Accepted { .. }),
        "{verdicts:?}"
    );
    attack.end();
}

#[test]
fn what_depends_on_what_never_comes_waits_on_the_phone_and_not_at_the_ward() {
    let attack = Attack::begin();
    let edits: Vec<_> = (0..1_000_u64)
        .map(|number| {
            let mut edit = attack.edit(ActorId([3; 16]), 1 + number, number);
            edit.dependencies = vec![EditId(*blake3::hash(&number.to_le_bytes()).as_bytes())];
            EncodedEdit::encode(edit).unwrap()
        })
        .collect();
    let store = || attack.town.server.data().join("ward.db");
    for _ in 0..3 {
        let verdicts = attack.said_to("a thousand missing dependencies", attack.sealed(&edits));
        assert_eq!(verdicts.len(), 1_000);
        assert!(
            verdicts
                .iter()
                .all(|verdict| matches!(verdict, Verdict::Waiting { .. }))
        );
    }
    assert!(std::fs::metadata(store()).unwrap().len() < 8 * 1024 * 1024);
    attack.end();
}

#[test]
fn a_place_of_an_actor_is_taken_once() {
    let attack = Attack::begin();
    let taken = |intent| {
        let edit = attack.edit(ActorId([4; 16]), 1, intent);
        attack.sealed(&[EncodedEdit::encode(edit).unwrap()])
    };
    let first = attack.said_to("a place", taken(1));
    assert!(matches!(first[..], [Verdict::Accepted { .. }]), "{first:?}");
    let second = attack.said_to("the same place again", taken(2));
    assert_eq!(second, [rejected(RejectionCode::ForeignActor)]);
    attack.end();
}

#[test]
fn a_bundle_for_another_ward_is_refused_whole() {
    let attack = Attack::begin();
    let edit = EncodedEdit::encode(attack.edit(ActorId([5; 16]), 1, 1)).unwrap();
    let other: WardCode = "00004".parse().unwrap();
    let (_, sealed, _) = bundle::seal(&attack.peer.key, other, Timestamp(0), &[edit]);
    let verdicts = attack.said_to("another ward", sealed);
    assert_eq!(verdicts, [rejected(RejectionCode::ForeignActor)]);
    attack.end();
}

#[test]
fn a_time_at_the_end_of_days_is_a_claim_like_any_other() {
    let attack = Attack::begin();
    // The last is the first that no calendar of four digits has.
    for (actor, time) in [(6, i64::MAX), (7, i64::MIN), (8, 253_402_300_800_000)] {
        let mut edit = attack.edit(ActorId([actor; 16]), 1, 1);
        edit.device_time = Timestamp(time);
        let sealed = attack.sealed(&[EncodedEdit::encode(edit).unwrap()]);
        let verdicts = attack.said_to("a time far away", sealed);
        assert!(
            matches!(verdicts[..], [Verdict::Accepted { .. }]),
            "{time}: {verdicts:?}"
        );
    }
    // Everybody else reads the case, and what was said is checked and exported as ever.
    let reader = attack.town.phone("reader");
    let _ = reader.sync();
    let id = attack.case.edit().document.uuid.to_string();
    assert!(reader.show(&id)["households"].as_u64().unwrap() > 3);
    let _ = attack.town.server.run(&["check"]).expect(0);
    attack.end();
}

#[test]
fn what_is_nested_without_end_is_refused_and_not_followed() {
    let town = Town::new();
    let phone = town.phone("a");
    let nested = format!("{{\"id\":{}\n", "[".repeat(200_000));
    let refused = phone.run_with(&["record"], &nested);
    assert!(matches!(refused.code, Some(1..=4)), "{refused:?}");
    let settings = format!("quic = {}", "[".repeat(30_000));
    assert!(gandan_server::config::Config::from_parts(&settings, &|_| None).is_err());
    let _ = phone.record(&[case(1)]);
    assert_eq!(phone.sync()["rejected"], 0);
}
