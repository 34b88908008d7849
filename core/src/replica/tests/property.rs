//! Whatever two phones do and in whatever pieces it travels: rows say what documents say, and both
//! phones say the same in the end.

use proptest::prelude::*;

use super::ward::*;
use super::*;
use crate::model::{Satisfaction, Status, Urgency};
use crate::policy::RejectionCode;
use crate::protocol::verdict::Verdict;
use crate::store::rows::CaseQuery;

#[derive(Debug, Clone)]
enum Step {
    Record(u8, String),
    Note(u8, usize),
    Text(u8, usize, String),
    Urgency(u8, usize, usize),
    Status(u8, usize, usize),
    Households(u8, usize, i32),
    Void(u8, usize),
    Delivered(u8, usize),
    Reopen(u8),
    Talk(u8),
    TalkAndRefuse(u8, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let phone = 0..2u8;
    let case = 0..4usize;
    prop_oneof![
        2 => (phone.clone(), "[a-zàđ ]{0,12}").prop_map(|(phone, text)| Step::Record(phone, text)),
        2 => (phone.clone(), case.clone()).prop_map(|(phone, case)| Step::Note(phone, case)),
        3 => (phone.clone(), case.clone(), "[a-zàđ ]{0,12}")
            .prop_map(|(phone, case, text)| Step::Text(phone, case, text)),
        2 => (phone.clone(), case.clone(), 0..4usize)
            .prop_map(|(phone, case, urgency)| Step::Urgency(phone, case, urgency)),
        2 => (phone.clone(), case.clone(), 0..11usize)
            .prop_map(|(phone, case, status)| Step::Status(phone, case, status)),
        1 => (phone.clone(), case.clone(), -2..5i32)
            .prop_map(|(phone, case, by)| Step::Households(phone, case, by)),
        1 => (phone.clone(), case.clone()).prop_map(|(phone, case)| Step::Void(phone, case)),
        1 => (phone.clone(), case.clone()).prop_map(|(phone, case)| Step::Delivered(phone, case)),
        1 => phone.clone().prop_map(Step::Reopen),
        3 => phone.clone().prop_map(Step::Talk),
        1 => (phone, 0..6usize).prop_map(|(phone, which)| Step::TalkAndRefuse(phone, which)),
    ]
}

struct Town {
    folders: Vec<tempfile::TempDir>,
    phones: Vec<Option<Replica>>,
    read: Vec<usize>,
    ward: TestWard,
}

impl Town {
    fn new() -> Self {
        let (folder, officer) = phone();
        let desk_folder = tempfile::tempdir().unwrap();
        let desk = open(desk_folder.path());
        enrol(&desk, OfficerId(Uuid::from_bytes([2; 16])), Role::Triage);
        Self {
            folders: vec![folder, desk_folder],
            phones: vec![Some(officer), Some(desk)],
            read: vec![0, 0],
            ward: TestWard::new(),
        }
    }

    fn phone(&self, phone: u8) -> &Replica {
        self.phones[usize::from(phone)].as_ref().unwrap()
    }

    fn case(&self, phone: u8, case: usize) -> Option<Uuid> {
        let listed = self.phone(phone).cases(&CaseQuery::default()).unwrap();
        listed.get(case).map(|summary| summary.row.case.id)
    }

    /// A role may not do everything and a case may not be there: then nothing happens.
    fn on_case<T>(
        &self,
        phone: u8,
        case: usize,
        act: impl FnOnce(&Replica, Uuid) -> Result<T, RecordError>,
    ) {
        let Some(case) = self.case(phone, case) else {
            return;
        };
        match act(self.phone(phone), case) {
            Ok(_) | Err(RecordError::NotAllowed(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }

    fn take(&mut self, step: Step) {
        let change = CaseChange::default();
        match step {
            Step::Record(phone, text) => {
                let case = NewCase {
                    text,
                    ..NewCase::default()
                };
                self.phone(phone).record_case(case).unwrap();
            }
            Step::Note(phone, case) => {
                self.on_case(phone, case, |phone, id| phone.add_note(id, "x"))
            }
            Step::Text(phone, case, text) => self.on_case(phone, case, |phone, id| {
                let text = Some(text);
                phone.edit_case(id, CaseChange { text, ..change })
            }),
            Step::Urgency(phone, case, urgency) => self.on_case(phone, case, |phone, id| {
                let urgency = Some(Urgency::ALL[urgency]);
                phone.edit_case(id, CaseChange { urgency, ..change })
            }),
            Step::Status(phone, case, status) => self.on_case(phone, case, |phone, id| {
                let status = Some(Status::ALL[status]);
                phone.edit_case(id, CaseChange { status, ..change })
            }),
            Step::Households(phone, case, by) => self.on_case(phone, case, |phone, id| {
                let households_by = Some(by);
                phone.edit_case(
                    id,
                    CaseChange {
                        households_by,
                        ..change
                    },
                )
            }),
            Step::Void(phone, case) => {
                self.on_case(phone, case, |phone, id| phone.void_case(id, "nhầm"));
            }
            Step::Delivered(phone, case) => self.on_case(phone, case, |phone, id| {
                phone.mark_delivered(id, Satisfaction::Satisfied)
            }),
            Step::Reopen(phone) => {
                let place = usize::from(phone);
                self.phones[place] = None;
                self.phones[place] = Some(open(self.folders[place].path()));
            }
            Step::Talk(phone) => self.talk(phone, None),
            Step::TalkAndRefuse(phone, which) => self.talk(phone, Some(which)),
        }
    }

    /// A conversation; one of the new edits may be refused, and with it what builds on it.
    fn talk(&mut self, phone: u8, refused: Option<usize>) {
        let place = usize::from(phone);
        let replica = self.phones[place].clone().unwrap();
        begin(&replica);
        let mut fallen = Vec::new();
        let mut position = 0;
        while let Some((id, sealed)) = next_bundle(&replica) {
            let mut verdicts = Vec::new();
            for edit in edits(&opened(&sealed)) {
                let is_known = self.ward.feed.iter().any(|known| known.id == edit.id());
                let depends = edit
                    .edit()
                    .dependencies
                    .iter()
                    .any(|id| fallen.contains(id));
                if !is_known && (depends || refused == Some(position)) {
                    fallen.push(edit.id());
                    let code = RejectionCode::FieldNotAllowed;
                    verdicts.push(Verdict::Rejected { code });
                } else {
                    verdicts.push(self.ward.admit_edit(&replica, &edit));
                }
                position += 1;
            }
            record(&replica, id, verdicts);
        }
        assert_eq!(self.ward.tell(&replica, self.read[place]), []);
        self.read[place] = self.ward.feed.len();
        assert_eq!(replica.pending().unwrap(), []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn rows_follow_documents_and_phones_agree(steps in prop::collection::vec(step(), 1..24)) {
        let mut town = Town::new();
        for step in steps {
            town.take(step);
            for phone in [0, 1] {
                prop_assert_eq!(town.phone(phone).check().unwrap(), Vec::<Uuid>::new());
            }
        }
        for phone in [0, 1, 0] {
            town.talk(phone, None);
        }
        for admitted in &town.ward.feed {
            let edit = crate::edit::EncodedEdit::decode(&admitted.bytes).unwrap();
            let id = edit.edit().document.uuid;
            let of = |phone| town.phone(phone).case(id).unwrap().unwrap().case;
            prop_assert_eq!(of(0), of(1));
        }
    }
}
