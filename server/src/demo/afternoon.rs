//! What two officers hear on one afternoon. The words are data, in `data/afternoon.toml`; everybody
//! in it is invented. Knows no phone and no ward.

use gandan_core::model::{Location, Person, ReportedKind, Source, Urgency};
use serde::Deserialize;

const AFTERNOON: &str = include_str!("../../data/afternoon.toml");

/// All visits, in the order in which each officer makes them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Afternoon {
    #[serde(rename = "visit")]
    pub(super) visits: Vec<Visit>,
}

/// One stop of an officer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Visit {
    /// Short name of the officer; see [`super::stage::OFFICERS`].
    pub(super) officer: String,
    pub(super) area: String,
    pub(super) place: String,
    /// `HH:MM`.
    pub(super) start: String,
    pub(super) minutes: u32,
    pub(super) summary: String,
    pub(super) result: String,
    #[serde(rename = "case")]
    pub(super) cases: Vec<Case>,
}

/// One matter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What later acts call it.
    #[serde(rename = "as")]
    pub(super) name: Option<String>,
    /// Minutes after the visit began.
    pub(super) at: u32,
    pub(super) kind: String,
    pub(super) category: String,
    pub(super) urgency: String,
    pub(super) source: String,
    pub(super) households: Option<u32>,
    /// Other than the visit's, as the officer typed it.
    pub(super) area: Option<String>,
    pub(super) text: String,
    pub(super) citizen: Option<Citizen>,
    pub(super) photo: Option<String>,
    /// Degrees north and east.
    pub(super) location: Option<[f64; 2]>,
    pub(super) note: Option<String>,
    /// Recorded in error, and why.
    pub(super) void: Option<String>,
    /// Of a stop card.
    pub(super) paper_reference: Option<String>,
}

/// Who told it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Citizen {
    name: String,
    phone: Option<String>,
    address: Option<String>,
    contact_name: Option<String>,
    contact_phone: Option<String>,
}

impl Afternoon {
    pub(super) fn load() -> Self {
        toml::from_str(AFTERNOON).expect("a test holds that the afternoon's file is well formed")
    }
}

impl Visit {
    /// Minutes after midnight.
    pub(super) fn start_minute(&self) -> u32 {
        let (hour, minute) = self.start.split_once(':').unwrap_or_default();
        hour.parse::<u32>().unwrap_or_default() * 60 + minute.parse::<u32>().unwrap_or_default()
    }
}

impl Case {
    pub(super) fn kind(&self) -> Option<ReportedKind> {
        ReportedKind::from_code(&self.kind)
    }

    pub(super) fn urgency(&self) -> Option<Urgency> {
        Urgency::from_code(&self.urgency)
    }

    pub(super) fn source(&self) -> Option<Source> {
        Source::from_code(&self.source)
    }

    pub(super) fn citizen(&self) -> Option<Person> {
        self.citizen.as_ref().map(|citizen| Person {
            name: Some(citizen.name.clone()),
            phone: citizen.phone.clone(),
            address: citizen.address.clone(),
            contact_name: citizen.contact_name.clone(),
            contact_phone: citizen.contact_phone.clone(),
            ..Person::default()
        })
    }

    pub(super) fn location(&self) -> Option<Location> {
        let millionths = |degrees: f64| (degrees * 1e6).round() as i32;
        self.location.map(|[latitude, longitude]| Location {
            latitude_e6: millionths(latitude),
            longitude_e6: millionths(longitude),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use gandan_core::model::phone_number;

    use super::*;
    use crate::demo::{photos, stage};
    use crate::register;

    #[test]
    fn every_case_of_the_afternoon_can_be_recorded() {
        let afternoon = Afternoon::load();
        let areas = register::parse_areas(register::SAMPLE_AREAS_26995).expect("the sample");
        let areas: HashSet<_> = areas.into_iter().map(|area| area.code).collect();
        let categories: HashSet<_> = register::categories()
            .into_iter()
            .map(|category| category.code)
            .collect();
        for visit in &afternoon.visits {
            assert!(areas.contains(&visit.area), "{}", visit.area);
            assert!((12 * 60..18 * 60).contains(&visit.start_minute()));
            assert!(
                stage::OFFICERS
                    .iter()
                    .any(|officer| officer.short == visit.officer),
                "{}",
                visit.officer
            );
            for case in &visit.cases {
                assert!(categories.contains(&case.category), "{}", case.category);
                assert!(case.kind().is_some(), "{}", case.kind);
                assert!(case.urgency().is_some(), "{}", case.urgency);
                assert!(case.source().is_some(), "{}", case.source);
                assert!(case.at < visit.minutes);
                let photo = case.photo.as_deref();
                assert!(
                    photo.is_none_or(|scene| photos::SCENES.contains(&scene)),
                    "{photo:?}"
                );
            }
        }
    }

    #[test]
    fn the_afternoon_is_as_mixed_as_a_real_one() {
        let afternoon = Afternoon::load();
        let cases: Vec<_> = afternoon
            .visits
            .iter()
            .flat_map(|visit| &visit.cases)
            .collect();
        assert_eq!(cases.len(), 40);
        let anonymous = cases.iter().filter(|case| case.citizen.is_none()).count();
        assert!((8..=14).contains(&anonymous), "{anonymous}");
        let areas: HashSet<_> = afternoon.visits.iter().map(|visit| &visit.area).collect();
        assert!(areas.len() >= 6);
        for case in cases {
            let words = case.text.split_whitespace().count();
            assert!(words <= 200, "{words} words");
        }
    }

    #[test]
    fn its_telephone_numbers_are_of_a_form_that_nobody_has() {
        for visit in Afternoon::load().visits {
            for citizen in visit.cases.iter().filter_map(|case| case.citizen.as_ref()) {
                for number in [&citizen.phone, &citizen.contact_phone]
                    .into_iter()
                    .flatten()
                {
                    let parsed = phone_number::parse(number).expect("a valid form");
                    assert!(parsed.starts_with("0900000"), "{parsed}");
                }
            }
        }
    }
}
