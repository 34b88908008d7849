//! An app of somebody else's making in an enrolled phone: well-formed edits that make no sense, and bytes
//! that are no bundle. Nobody may notice, and nothing may grow from it.

use gandan_core::document::schema::{self, field};
use gandan_core::edit::{Edit, EncodedEdit, FieldName, InitialField, Operation, Value};
use gandan_core::model::{ActorId, DocumentId, EditId, IntentId, Timestamp};
use gandan_core::protocol::bundle;
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use gandan_core::protocol::verdict::Verdict;
use gandan_server::ward::WardError;
use uuid::Uuid;

use super::checks;
use super::fleet::{Fleet, WARD};
use super::world::Dice;

impl Fleet {
    /// Sends a poisoned bundle with a phone's key, about a case that is there, or is not.
    pub fn poison(&mut self, phone: usize, case: Uuid) {
        let edits = poisoned(case, &mut Dice::new(self.dice.seed(), 4));
        let key = self.phones[phone].replica().device_key();
        let code = WARD.parse().expect("a ward code");
        let (_, mut sealed, _) = bundle::seal(&key, code, Timestamp(0), &edits);
        if self.dice.percent(30) {
            let broken = self.dice.below(sealed.len());
            sealed[broken] ^= 0x40;
        }
        let before = checks::snapshot_of_ward(self.ward());
        let device = self.phones[phone].device();
        match self.ward().execute(device, WardCommand::Admit(sealed)) {
            Ok(answer) => self.is_not_admitted(&answer),
            Err(error) => self.excuse_ward(&error as &WardError),
        }
        self.attend();
        checks::is_unchanged(self, &before, "poison");
        self.tally.poisonings += 1;
    }

    fn is_not_admitted(&self, answer: &WardAnswer) {
        let WardAnswer::Verdicts(verdicts) = answer else {
            return;
        };
        let is_refused = |verdict: &Verdict| {
            matches!(verdict, Verdict::Rejected { .. } | Verdict::Waiting { .. })
        };
        assert!(
            verdicts.iter().all(is_refused),
            "seed {}: poison was admitted: {verdicts:?}",
            self.plan.seed
        );
    }
}

/// A case whose text is a counter, a change that depends on nothing that ever was, and one that
/// depends on that.
fn poisoned(case: Uuid, dice: &mut Dice) -> Vec<EncodedEdit> {
    let mut id = || -> [u8; 16] { Uuid::from_u64_pair(dice.seed(), dice.seed()).into_bytes() };
    let actor = ActorId(id());
    let invented = DocumentId::case(Uuid::from_bytes(id()));
    let text = FieldName::new(field::TEXT).expect("a field of the schema");
    let mut poison = vec![Edit {
        document: invented,
        intent: IntentId(invented.uuid.into_bytes()),
        actor,
        sequence: 1,
        dependencies: Vec::new(),
        device_time: Timestamp(i64::MAX),
        operations: vec![Operation::Create {
            fields: vec![(text, InitialField::Counter(7))],
        }],
    }];
    let nobody_knows = EditId(*blake3::hash(&id()).as_bytes());
    for document in [DocumentId::case(case), invented] {
        poison.push(Edit {
            document,
            intent: IntentId(id()),
            actor,
            sequence: u64::MAX >> 1,
            dependencies: vec![nobody_knows],
            device_time: Timestamp(i64::MIN),
            operations: vec![schema::set(field::STATUS, Value::Int(-1))],
        });
    }
    poison
        .into_iter()
        .map(|edit| EncodedEdit::encode(edit).expect("well-formed"))
        .collect()
}
