//! Who may see which document: a pure question of role, areas and confidentiality, asked for every
//! edit that goes in and every entry that goes out.

use std::collections::BTreeSet;

use gandan_core::model::{DocumentKind, OfficerId, Role};

/// What decides who may see a document. A person's is that of its case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Placement {
    /// Who recorded the case, or went on the visit.
    pub(super) recorder: Option<OfficerId>,
    /// `None` is 'unplaced'.
    pub(super) area: Option<String>,
    /// Triage, chair and the recorder only.
    pub(super) is_restricted: bool,
    /// The place of its newest entry in the feed (its person's included), if nothing of it is open.
    pub(super) quiet_since: Option<u64>,
}

impl Placement {
    /// Whether nothing of it has been open since a place of the feed, or before.
    pub(super) fn is_quiet_at(&self, floor: u64) -> bool {
        self.quiet_since.is_some_and(|since| since <= floor)
    }
}

/// What one officer may see, and what of it their phone holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    officer: OfficerId,
    role: Role,
    /// The officer's areas and everything below them; `None` is the whole ward.
    areas: Option<BTreeSet<String>>,
    /// What is quiet up to this place of the feed phones do not hold; they fetch it when it is wanted.
    floor: u64,
}

impl Scope {
    /// `areas` are the officer's own; `tree` gives each area with the one above it.
    pub(super) fn new(
        officer: OfficerId,
        role: Role,
        areas: &[String],
        tree: &[(String, Option<String>)],
        floor: u64,
    ) -> Self {
        Self {
            officer,
            role,
            areas: (role == Role::Officer && !areas.is_empty()).then(|| below(areas, tree)),
            floor,
        }
    }

    /// As it was: `areas` with everything below, `None` for the whole ward.
    pub(super) fn of_version(
        officer: OfficerId,
        role: Role,
        areas: Option<BTreeSet<String>>,
        floor: u64,
    ) -> Self {
        Self {
            officer,
            role,
            areas,
            floor,
        }
    }

    /// The areas with everything below; `None` for the whole ward.
    pub(super) fn areas(&self) -> Option<&BTreeSet<String>> {
        self.areas.as_ref()
    }

    /// The floor; see [`Scope::covers`].
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    /// Whether the officer's phone holds a document of this kind with this placement: what they may
    /// see, without what is quiet since before the floor. What the officer recorded stays.
    pub(super) fn covers(&self, kind: DocumentKind, placement: &Placement) -> bool {
        let is_own = placement.recorder == Some(self.officer);
        (is_own || !placement.is_quiet_at(self.floor)) && self.may_see(kind, placement)
    }

    /// Whether the officer may see a document of this kind with this placement, held or not.
    pub(super) fn may_see(&self, kind: DocumentKind, placement: &Placement) -> bool {
        match self.role {
            Role::Admin => return false,
            Role::Triage | Role::Chair => return true,
            Role::Officer | Role::Leader => {}
        }
        if placement.recorder == Some(self.officer) {
            return true;
        }
        if placement.is_restricted {
            return false;
        }
        match kind {
            DocumentKind::Person => self.role == Role::Leader,
            DocumentKind::Case | DocumentKind::Visit => self.areas.as_ref().is_none_or(|areas| {
                placement
                    .area
                    .as_ref()
                    .is_some_and(|area| areas.contains(area))
            }),
        }
    }
}

/// The areas and everything below them. Terminates also if a damaged tree has a ring.
pub(super) fn below(areas: &[String], tree: &[(String, Option<String>)]) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = areas.iter().cloned().collect();
    loop {
        let before = found.len();
        for (code, parent) in tree {
            if parent.as_ref().is_some_and(|parent| found.contains(parent)) {
                found.insert(code.clone());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ME: OfficerId = OfficerId(Uuid::from_u128(1));
    const OTHER: OfficerId = OfficerId(Uuid::from_u128(2));

    fn scope(role: Role, areas: &[&str]) -> Scope {
        let areas: Vec<String> = areas.iter().map(|&area| area.to_owned()).collect();
        let tree = [
            ("old".to_owned(), None),
            ("kp1".to_owned(), Some("old".to_owned())),
            ("to1".to_owned(), Some("kp1".to_owned())),
            ("elsewhere".to_owned(), None),
        ];
        Scope::new(ME, role, &areas, &tree, 10)
    }

    fn placed(area: Option<&str>) -> Placement {
        Placement {
            recorder: Some(OTHER),
            area: area.map(str::to_owned),
            is_restricted: false,
            quiet_since: None,
        }
    }

    #[test]
    fn an_officer_sees_their_areas_and_everything_below() {
        let scope = scope(Role::Officer, &["old"]);
        assert!(scope.covers(DocumentKind::Case, &placed(Some("to1"))));
        assert!(!scope.covers(DocumentKind::Case, &placed(Some("elsewhere"))));
        assert!(!scope.covers(DocumentKind::Visit, &placed(None)));
    }

    #[test]
    fn an_officer_without_areas_sees_the_whole_ward() {
        assert!(scope(Role::Officer, &[]).covers(DocumentKind::Case, &placed(None)));
    }

    #[test]
    fn whoever_recorded_a_case_keeps_it_wherever_it_is() {
        let mine = Placement {
            recorder: Some(ME),
            area: Some("elsewhere".to_owned()),
            is_restricted: true,
            quiet_since: None,
        };
        let scope = scope(Role::Officer, &["kp1"]);
        assert!(scope.covers(DocumentKind::Case, &mine));
        assert!(scope.covers(DocumentKind::Person, &mine));
    }

    #[test]
    fn the_citizen_is_not_shown_to_other_officers() {
        let person = placed(Some("kp1"));
        assert!(!scope(Role::Officer, &["kp1"]).covers(DocumentKind::Person, &person));
        assert!(!scope(Role::Officer, &[]).covers(DocumentKind::Person, &person));
        assert!(scope(Role::Leader, &[]).covers(DocumentKind::Person, &person));
        assert!(scope(Role::Triage, &[]).covers(DocumentKind::Person, &person));
    }

    #[test]
    fn a_restricted_case_is_for_triage_and_chair() {
        let restricted = Placement {
            is_restricted: true,
            ..placed(Some("kp1"))
        };
        for (role, may) in [
            (Role::Officer, false),
            (Role::Leader, false),
            (Role::Triage, true),
            (Role::Chair, true),
            (Role::Admin, false),
        ] {
            assert_eq!(
                scope(role, &[]).covers(DocumentKind::Case, &restricted),
                may
            );
        }
    }

    #[test]
    fn what_is_quiet_since_before_the_floor_may_be_seen_and_is_not_held_but_by_its_recorder() {
        let quiet = |quiet_since| Placement {
            quiet_since: Some(quiet_since),
            ..placed(Some("kp1"))
        };
        for role in [Role::Officer, Role::Leader, Role::Triage, Role::Chair] {
            let scope = scope(role, &["old"]);
            assert!(scope.covers(DocumentKind::Case, &quiet(11)));
            assert!(!scope.covers(DocumentKind::Case, &quiet(10)));
            assert!(scope.may_see(DocumentKind::Case, &quiet(10)));
        }
        let mine = Placement {
            recorder: Some(ME),
            ..quiet(1)
        };
        assert!(scope(Role::Officer, &["elsewhere"]).covers(DocumentKind::Case, &mine));
    }

    #[test]
    fn an_administrator_sees_no_case() {
        assert!(!scope(Role::Admin, &[]).covers(DocumentKind::Case, &placed(None)));
    }
}
