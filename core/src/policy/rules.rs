//! The rules, as data: one row for each field and for each state. Knows nothing of how they are
//! applied; whoever wants to know what the ward allows reads or prints these tables.

use crate::document::schema::{CATEGORY_OTHER, field};
use crate::model::{DocumentKind, Status};

/// Whether somebody may change a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// No.
    Never,
    /// Whatever the state.
    Always,
    /// While the case is in one of these states.
    While(&'static [Status]),
}

/// What a field may hold when its document is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtCreation {
    /// Anything of its type.
    Anything,
    /// The author's own id.
    Author,
    /// This code.
    Only(&'static str),
    /// Nothing, unless triage or the chair creates it.
    NothingUnlessOffice,
    /// This code, unless triage or the chair creates it.
    OnlyUnlessOffice(&'static str),
    /// Nothing.
    Nothing,
}

/// What a field may hold on a stop card, the trace of a denunciation that lies on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStopCard {
    /// Anything of its type.
    Anything,
    /// This code.
    Only(&'static str),
    /// Nothing.
    Nothing,
}

/// Who may change one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldRule {
    /// Of which documents.
    pub kind: DocumentKind,
    /// The field; see [`field`].
    pub field: &'static str,
    /// When the document is created.
    pub at_creation: AtCreation,
    /// Who recorded the case or made the visit, in any role but admin.
    pub recorder: Leave,
    /// Officers and leaders, on any case in their scope.
    pub in_scope: Leave,
    /// Triage and the chair.
    pub office: Leave,
    /// If the case is a denunciation.
    pub on_stop_card: OnStopCard,
}

/// Who may change fields that only a newer app knows. They mean nothing here, and an older server
/// must not destroy the work of a newer app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownFieldRule {
    /// Of which documents.
    pub kind: DocumentKind,
    /// Who recorded the case or made the visit.
    pub recorder: Leave,
    /// Triage and the chair.
    pub office: Leave,
}

/// Where a case may go from one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransitionRule {
    /// The state it is in.
    pub from: Status,
    /// Where triage and the chair may take it.
    pub office: &'static [Status],
    /// Where the one who recorded it may take it.
    pub recorder: &'static [Status],
}

use AtCreation::{Anything, Author, Nothing, NothingUnlessOffice, Only, OnlyUnlessOffice};
use DocumentKind::{Case, Person, Visit};
use Leave::{Always, Never, While};

const CARD: OnStopCard = OnStopCard::Anything;
const NO_CARD: OnStopCard = OnStopCard::Nothing;
const VOIDING: Leave = While(&[Status::Recorded, Status::Voided]);
const DELIVERING: Leave = While(&[Status::Answered, Status::Closed]);

const fn rule(
    kind: DocumentKind,
    field: &'static str,
    at_creation: AtCreation,
    [recorder, in_scope, office]: [Leave; 3],
    on_stop_card: OnStopCard,
) -> FieldRule {
    FieldRule {
        kind,
        field,
        at_creation,
        recorder,
        in_scope,
        office,
        on_stop_card,
    }
}

/// One row for every field of the schema. The columns of leave are recorder, in scope, office. The
/// status has its own table as well: [`TRANSITIONS`].
#[rustfmt::skip]
pub const FIELDS: &[FieldRule] = &[
    rule(Case, field::ANSWER,          NothingUnlessOffice,        [Never,   Never,      Always], NO_CARD),
    rule(Case, field::AREA,            Anything,                   [Always,  Never,      Always], CARD),
    rule(Case, field::ASSIGNEE,        NothingUnlessOffice,        [Never,   Never,      Always], CARD),
    rule(Case, field::ATTACHMENTS,     Anything,                   [Always,  Always,     Always], NO_CARD),
    rule(Case, field::CATEGORY,        Anything,                   [Always,  Never,      Always], OnStopCard::Only(CATEGORY_OTHER)),
    rule(Case, field::CODE,            Anything,                   [Never,   Never,      Never],  CARD),
    rule(Case, field::CONFIDENTIALITY, OnlyUnlessOffice("normal"), [Never,   Never,      Always], CARD),
    rule(Case, field::DELIVERED_AT,    Nothing,                    [Never,   DELIVERING, Never],  NO_CARD),
    rule(Case, field::DIVISION,        NothingUnlessOffice,        [Never,   Never,      Always], CARD),
    rule(Case, field::DUE_AT,          NothingUnlessOffice,        [Never,   Never,      Always], CARD),
    rule(Case, field::EXTERNAL_REF,    Anything,                   [Never,   Never,      Never],  NO_CARD),
    rule(Case, field::HOUSEHOLDS,      Anything,                   [Always,  Always,     Never],  CARD),
    rule(Case, field::LEGAL_KIND,      NothingUnlessOffice,        [Never,   Never,      Always], NO_CARD),
    rule(Case, field::LOCATION,        Anything,                   [Always,  Never,      Never],  NO_CARD),
    rule(Case, field::NOTES,           Anything,                   [Always,  Always,     Always], NO_CARD),
    // Only the ward itself numbers, when it admits an acceptance; it does not ask this table.
    rule(Case, field::OFFICIAL_NUMBER, Nothing,                    [Never,   Never,      Never],  CARD),
    rule(Case, field::PAPER_REFERENCE, Anything,                   [Always,  Never,      Never],  CARD),
    rule(Case, field::PLACE,           Anything,                   [Always,  Never,      Always], NO_CARD),
    rule(Case, field::RECORDED_AT,     Anything,                   [Never,   Never,      Never],  CARD),
    rule(Case, field::RECORDED_BY,     Author,                     [Never,   Never,      Never],  CARD),
    rule(Case, field::REPORTED_KIND,   Anything,                   [Always,  Never,      Never],  CARD),
    rule(Case, field::SATISFACTION,    Nothing,                    [Never,   DELIVERING, Never],  NO_CARD),
    rule(Case, field::SOURCE,          Anything,                   [Always,  Never,      Never],  CARD),
    rule(Case, field::STATUS,          Only("recorded"),           [Always,  Never,      Always], CARD),
    rule(Case, field::TEXT,            Anything,                   [Always,  Never,      Never],  NO_CARD),
    rule(Case, field::URGENCY,         Anything,                   [Always,  Never,      Always], CARD),
    // A visit tells the place, and a place tells who denounced.
    rule(Case, field::VISIT,           Anything,                   [Never,   Never,      Never],  NO_CARD),
    rule(Case, field::VOID_REASON,     Nothing,                    [VOIDING, Never,      Never],  CARD),

    rule(Visit, field::AREA,           Anything,                   [Always,  Never,      Never],  CARD),
    rule(Visit, field::ENDED_AT,       Anything,                   [Always,  Never,      Never],  CARD),
    rule(Visit, field::EXTERNAL_REF,   Anything,                   [Never,   Never,      Never],  CARD),
    rule(Visit, field::OFFICER,        Author,                     [Never,   Never,      Never],  CARD),
    rule(Visit, field::PLACE,          Anything,                   [Always,  Never,      Never],  CARD),
    rule(Visit, field::STARTED_AT,     Anything,                   [Always,  Never,      Never],  CARD),
    rule(Visit, field::SUMMARY,        Anything,                   [Always,  Never,      Never],  CARD),

    // A stop card has no person at all.
    rule(Person, field::ADDRESS,       Anything,                   [Always,  Never,      Always], NO_CARD),
    rule(Person, field::CONSENT_TEXT,  Anything,                   [Always,  Never,      Always], NO_CARD),
    rule(Person, field::CONTACT_NAME,  Anything,                   [Always,  Never,      Always], NO_CARD),
    rule(Person, field::CONTACT_PHONE, Anything,                   [Always,  Never,      Always], NO_CARD),
    rule(Person, field::LEGAL_BASIS,   Anything,                   [Always,  Never,      Always], NO_CARD),
    rule(Person, field::NAME,          Anything,                   [Always,  Never,      Always], NO_CARD),
    rule(Person, field::PHONE,         Anything,                   [Always,  Never,      Always], NO_CARD),
];

/// One row for every kind of document.
#[rustfmt::skip]
pub const UNKNOWN_FIELDS: &[UnknownFieldRule] = &[
    UnknownFieldRule { kind: Case,   recorder: Always, office: Always },
    UnknownFieldRule { kind: Visit,  recorder: Always, office: Never },
    UnknownFieldRule { kind: Person, recorder: Always, office: Always },
];

const fn from(
    from: Status,
    office: &'static [Status],
    recorder: &'static [Status],
) -> TransitionRule {
    TransitionRule {
        from,
        office,
        recorder,
    }
}

use Status::{
    Accepted, Answered, Closed, Duplicate, InProgress, Recorded, Reopened, Transferred, Voided,
    WaitingCitizen, Withdrawn,
};

/// One row for every state. Staying in the same state is allowed besides, and changes nothing.
#[rustfmt::skip]
pub const TRANSITIONS: &[TransitionRule] = &[
    from(Recorded,       &[Accepted, Transferred, Duplicate, Withdrawn], &[Voided]),
    from(Accepted,       &[InProgress, WaitingCitizen, Transferred, Answered, Duplicate, Withdrawn], &[]),
    from(InProgress,     &[WaitingCitizen, Transferred, Answered, Duplicate, Withdrawn], &[]),
    from(WaitingCitizen, &[InProgress, Answered, Withdrawn, Transferred], &[]),
    from(Transferred,    &[InProgress, Answered], &[]),
    from(Answered,       &[Closed, Reopened, InProgress], &[]),
    from(Closed,         &[Reopened], &[]),
    from(Reopened,       &[InProgress, WaitingCitizen, Transferred, Answered], &[]),
    from(Duplicate,      &[Reopened], &[]),
    from(Withdrawn,      &[Reopened], &[]),
    from(Voided,         &[], &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_schema_has_exactly_one_rule() {
        for kind in [Case, Visit, Person] {
            let ruled: Vec<_> = FIELDS
                .iter()
                .filter(|rule| rule.kind == kind)
                .map(|rule| rule.field)
                .collect();
            let known: Vec<_> = field::definitions(kind)
                .iter()
                .map(|definition| definition.name)
                .collect();
            assert_eq!(ruled, known);
            assert_eq!(
                UNKNOWN_FIELDS
                    .iter()
                    .filter(|rule| rule.kind == kind)
                    .count(),
                1
            );
        }
    }

    #[test]
    fn every_state_has_exactly_one_rule() {
        let ruled: Vec<_> = TRANSITIONS.iter().map(|rule| rule.from).collect();
        assert_eq!(ruled, Status::ALL);
    }
}
