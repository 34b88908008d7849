//! A phone as the ward sees it: a key, an actor, edits in signed bundles. No store, no socket.

use std::collections::HashMap;

use ed25519_dalek::SigningKey;
use gandan_core::document::schema::{self, field};
use gandan_core::edit::{Edit, EncodedEdit, Operation};
use gandan_core::model::{
    ActorId, Attachment, Case, Confidentiality, DeviceId, DocumentId, EditId, IntentId, Note,
    NoteVisibility, Person, ReportedKind, Role, Source, Status, Timestamp, Urgency,
};
use gandan_core::policy::Author;
use gandan_core::protocol::bundle;
use gandan_core::protocol::credential::Enrolment;
use gandan_core::protocol::enrolment::EnrolmentRequest;
use gandan_core::protocol::feed::{Cursor, Page, verify_proof};
use gandan_core::protocol::limits::ATTACHMENT_PART_BYTES;
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use gandan_core::protocol::verdict::Verdict;
use gandan_core::store::attachments;
use uuid::Uuid;

use super::fixture::{START_MS, World, code};
use crate::ward::Ward;

pub(super) struct Phone {
    pub(super) key: SigningKey,
    pub(super) author: Author,
    pub(super) enrolment: Enrolment,
    pub(super) actor: ActorId,
    sequences: HashMap<DocumentId, u64>,
    draws: u16,
    pub(super) cursor: Cursor,
    /// Everything received, by name.
    pub(super) pages: Vec<Page>,
}

impl Phone {
    /// An enrolled phone. `number` tells its key and ids from another's.
    pub(super) fn enrol(world: &World, number: u8, role: Role, areas: &[&str]) -> Self {
        let areas: Vec<String> = areas.iter().map(|&area| area.to_owned()).collect();
        let officer = world
            .ward
            .officer(&format!("Cán bộ {number}"), role, &areas)
            .unwrap();
        let invite = world
            .ward
            .invite(officer, &["127.0.0.1:4433".to_owned()], 1_000)
            .unwrap();
        let key = SigningKey::from_bytes(&[number; 32]);
        let request = EnrolmentRequest {
            token: invite.token,
            device_name: format!("máy {number}"),
        };
        let device = DeviceId::of(&key);
        let enrolment = world.ward.enrol(device, &request).unwrap().unwrap();
        assert!(enrolment.verify(&invite, device));
        Self {
            key,
            enrolment,
            author: Author { officer, role },
            actor: ActorId([number; 16]),
            sequences: HashMap::new(),
            draws: 0,
            cursor: Cursor::default(),
            pages: Vec::new(),
        }
    }

    pub(super) fn device(&self) -> DeviceId {
        DeviceId::of(&self.key)
    }

    /// The same store, opened once more: another actor.
    pub(super) fn reopen(&mut self) {
        self.actor.0[1] += 1;
        self.sequences.clear();
    }

    fn draw(&mut self) -> [u8; 16] {
        self.draws += 1;
        let mut drawn = self.actor.0;
        drawn[..2].copy_from_slice(&self.draws.to_be_bytes());
        drawn[3] = 0xaa;
        drawn
    }

    pub(super) fn case(&mut self, text: &str, area: Option<&str>) -> EncodedEdit {
        let id = Uuid::from_bytes(self.draw());
        let case = Case {
            id,
            code: format!("ABC-{:04}", self.draws),
            external_ref: None,
            visit: None,
            area: area.map(str::to_owned),
            place: None,
            reported_kind: ReportedKind::Report,
            legal_kind: None,
            category: "noise".to_owned(),
            urgency: Urgency::Normal,
            source: Source::HeardFromPerson,
            status: Status::Recorded,
            recorded_at: Timestamp(START_MS),
            recorded_by: self.author.officer,
            text: text.to_owned(),
            households: 1,
            location: None,
            official_number: None,
            division: None,
            assignee: None,
            due_at: None,
            answer: None,
            delivered_at: None,
            satisfaction: None,
            void_reason: None,
            paper_reference: None,
            confidentiality: Confidentiality::Normal,
            notes: Vec::new(),
            attachments: Vec::new(),
            conflicts: Vec::new(),
        };
        let fields = schema::case_fields(&case);
        self.create(DocumentId::case(id), fields)
    }

    pub(super) fn person(&mut self, case: Uuid) -> EncodedEdit {
        let person = Person {
            id: case,
            name: Some("Trần Thị Thịnh".to_owned()),
            ..Person::default()
        };
        let fields = schema::person_fields(&person);
        self.create(DocumentId::person_of(case), fields)
    }

    fn create(
        &mut self,
        document: DocumentId,
        fields: Vec<(
            gandan_core::edit::FieldName,
            gandan_core::edit::InitialField,
        )>,
    ) -> EncodedEdit {
        let intent = IntentId(*document.uuid.as_bytes());
        self.edit(document, intent, &[], vec![Operation::Create { fields }])
    }

    pub(super) fn note(&mut self, on: &EncodedEdit, text: &str) -> EncodedEdit {
        let intent = IntentId(self.draw());
        self.note_with(intent, on, text)
    }

    pub(super) fn note_with(
        &mut self,
        intent: IntentId,
        on: &EncodedEdit,
        text: &str,
    ) -> EncodedEdit {
        let note = Note {
            id: Uuid::from_bytes(intent.0),
            text: text.to_owned(),
            author: self.author.officer,
            at: Timestamp(START_MS),
            visibility: NoteVisibility::Internal,
        };
        let append = schema::append(field::NOTES, schema::note_item(&note));
        self.edit(on.edit().document, intent, &[on.id()], vec![append])
    }

    /// Attaches a file that a phone may have or only claim to have.
    pub(super) fn attach(&mut self, on: &EncodedEdit, bytes: &[u8]) -> EncodedEdit {
        let intent = IntentId(self.draw());
        let attachment = Attachment {
            hash: attachments::hash(bytes),
            name: "anh.png".to_owned(),
            bytes: bytes.len() as u64,
            mime: "image/png".to_owned(),
            at: Timestamp(START_MS),
            thumbnail: None,
        };
        let append = schema::append(field::ATTACHMENTS, schema::attachment_item(&attachment));
        self.edit(on.edit().document, intent, &[on.id()], vec![append])
    }

    /// What the ward says to a file that is offered.
    pub(super) fn offer(&self, ward: &Ward, bytes: &[u8]) -> WardAnswer {
        let command = WardCommand::FindAttachment {
            hash: attachments::hash(bytes),
            size: bytes.len(),
        };
        ward.execute(self.device(), command).unwrap()
    }

    /// Sends a part of a file.
    pub(super) fn part(&self, ward: &Ward, file: &[u8], offset: usize) -> WardAnswer {
        let end = file.len().min(offset + ATTACHMENT_PART_BYTES);
        let command = WardCommand::KeepPart {
            hash: attachments::hash(file),
            size: file.len(),
            offset,
            bytes: file[offset..end].to_vec(),
        };
        ward.execute(self.device(), command).unwrap()
    }

    /// Sends a file from where the ward has it; gives the ward's last word.
    pub(super) fn upload(&self, ward: &Ward, file: &[u8]) -> WardAnswer {
        let mut answer = self.offer(ward, file);
        while let WardAnswer::AttachmentKept(offset) = answer {
            answer = self.part(ward, file, offset);
        }
        answer
    }

    pub(super) fn set(&mut self, on: &EncodedEdit, name: &'static str, to: &str) -> EncodedEdit {
        let intent = IntentId(self.draw());
        let set = schema::set(name, schema::text_value(Some(to)));
        self.edit(on.edit().document, intent, &[on.id()], vec![set])
    }

    pub(super) fn edit(
        &mut self,
        document: DocumentId,
        intent: IntentId,
        dependencies: &[EditId],
        operations: Vec<Operation>,
    ) -> EncodedEdit {
        let sequence = self.sequences.entry(document).or_default();
        *sequence += 1;
        EncodedEdit::encode(Edit {
            document,
            intent,
            actor: self.actor,
            sequence: *sequence,
            dependencies: dependencies.to_vec(),
            device_time: Timestamp(START_MS),
            operations,
        })
        .unwrap()
    }

    pub(super) fn seal(&self, edits: &[EncodedEdit]) -> Vec<u8> {
        let (_, sealed, count) = bundle::seal(&self.key, code(), Timestamp(START_MS), edits);
        assert_eq!(count, edits.len(), "all edits fit into one bundle");
        sealed
    }

    pub(super) fn admit(&self, edits: &[EncodedEdit]) -> WardCommand {
        WardCommand::Admit(self.seal(edits))
    }

    pub(super) fn send(&self, ward: &Ward, edits: &[EncodedEdit]) -> Vec<Verdict> {
        match ward.execute(self.device(), self.admit(edits)).unwrap() {
            WardAnswer::Verdicts(verdicts) => verdicts,
            other => panic!("no verdicts but {other:?}"),
        }
    }

    /// Whether the ward knows the cursor.
    pub(super) fn greet(&self, ward: &Ward) -> bool {
        let command = WardCommand::Greet {
            cursor: self.cursor.clone(),
            device_time: Timestamp(START_MS),
            app_version: "test".to_owned(),
        };
        match ward.execute(self.device(), command).unwrap() {
            WardAnswer::Greeted {
                is_cursor_known, ..
            } => is_cursor_known,
            other => panic!("not greeted but {other:?}"),
        }
    }

    /// Reads the feed to its end and gives the edits that came, in order.
    pub(super) fn read(&mut self, ward: &Ward) -> Vec<EditId> {
        let mut seen = Vec::new();
        while let Some(page) = self.read_page(ward) {
            seen.extend(page.proof.entries.iter().map(|entry| entry.edit));
            self.cursor = page.cursor.clone().unwrap();
            self.pages.push(page);
        }
        seen
    }

    pub(super) fn read_page(&self, ward: &Ward) -> Option<Page> {
        let command = WardCommand::ReadFeed(self.cursor.clone());
        self.page(ward, command)
    }

    pub(super) fn want(&self, ward: &Ward, edits: &[EditId]) -> Option<Page> {
        self.page(ward, WardCommand::ReadEdits(edits.to_vec()))
    }

    fn page(&self, ward: &Ward, command: WardCommand) -> Option<Page> {
        match ward.execute(self.device(), command).unwrap() {
            WardAnswer::Page(page) => page.map(|page| {
                assert!(verify_proof(ward.key(), &page.proof));
                *page
            }),
            WardAnswer::CaughtUp(_) => None,
            other => panic!("no page but {other:?}"),
        }
    }

    pub(super) fn return_page(&self, ward: &Ward, page: Page) {
        let command = WardCommand::TakeBack(Box::new(page));
        let answer = ward.execute(self.device(), command).unwrap();
        assert_eq!(answer, WardAnswer::Done);
    }

    /// Gives back everything received, with `own` as the bodies of its own edits.
    pub(super) fn give_back(&self, ward: &Ward, own: &[EncodedEdit]) {
        for page in &self.pages {
            let mut page = page.clone();
            for (entry, body) in page.proof.entries.iter().zip(&mut page.bodies) {
                if body.is_none() {
                    let mine = own.iter().find(|edit| edit.id() == entry.edit);
                    *body = mine.map(|edit| edit.bytes().to_vec());
                }
            }
            self.return_page(ward, page);
        }
    }
}
