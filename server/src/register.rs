//! The register of every ward, commune and special zone, and what a new ward begins with. Data, not
//! code: the files are in `data/`, with their sources in `data/NOTICE.md`. Knows no store.

use gandan_core::model::{Area, Category, Division, OldWard, WardCode};

/// First day of the wards as they are now.
pub const WARDS_SINCE: &str = "2025-07-01";

/// An invented tree of khu phố for the demo's ward; see [`parse_areas`].
pub const SAMPLE_AREAS_26995: &str = include_str!("../data/sample-areas-26995.csv");

const WARDS: &str = include_str!("../data/wards.csv");
const PROVINCES: &str = include_str!("../data/provinces.csv");
const OLD_WARDS: &str = include_str!("../data/old-wards.csv");
const OLD_DISTRICTS: &str = include_str!("../data/old-districts.csv");
const DIVISIONS: &str = include_str!("../data/divisions.csv");
const CATEGORIES: &str = include_str!("../data/categories.csv");

/// Most areas that one import may bring.
pub const AREAS_MAX: usize = 3_000;

/// A ward as the register has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredWard {
    /// Five digits.
    pub code: WardCode,
    /// Such as `Phường Tân Hòa`.
    pub name: String,
    /// Another spelling, or the name before, so that it is found too.
    pub other_name: Option<String>,
    /// Such as `Thành phố Hồ Chí Minh`.
    pub province: String,
    /// The units that it was made of, in the order of their codes.
    pub old_wards: Vec<OldWard>,
}

/// The ward with this code.
#[must_use]
pub fn ward(code: WardCode) -> Option<RegisteredWard> {
    let row = keyed(WARDS, code.as_str()).next()?;
    let [_, name, other_name, province] = row.try_into().ok()?;
    Some(RegisteredWard {
        code,
        other_name: (!other_name.is_empty()).then_some(other_name),
        province: find(PROVINCES, &province)?.swap_remove(1),
        old_wards: old_wards(code),
        name,
    })
}

/// Wards whose name or other name contains the words, whatever the marks and the case; at most
/// twenty.
#[must_use]
pub fn search(words: &str) -> Vec<RegisteredWard> {
    let wanted = gandan_core::model::text::fold(words);
    rows(WARDS)
        .filter(|row| {
            row[1..3]
                .iter()
                .any(|name| gandan_core::model::text::fold(name).contains(&wanted))
        })
        .filter_map(|row| ward(row[0].parse().ok()?))
        .take(20)
        .collect()
}

/// The areas that a new ward begins with: one for each unit that it was made of. Khu phố and ấp are
/// the ward's own data and are added later.
#[must_use]
pub fn first_areas(ward: &RegisteredWard) -> Vec<Area> {
    ward.old_wards
        .iter()
        .map(|old| Area {
            code: old.code.clone(),
            name: old.name.clone(),
            type_label: old_type_label(old),
            parent: None,
            old_names: vec![format!("{} ({})", old.name, old.district)],
            valid_from: WARDS_SINCE.to_owned(),
            valid_to: None,
        })
        .collect()
}

/// The divisions of a new ward or commune.
#[must_use]
pub fn divisions(ward: &RegisteredWard) -> Vec<Division> {
    let is_commune = ward.name.starts_with("Xã");
    rows(DIVISIONS)
        .filter_map(|row| {
            let [code, ward_name, commune_name, outside] = row.try_into().ok()?;
            Some(Division {
                code,
                name: if is_commune { commune_name } else { ward_name },
                is_outside: outside == "1",
            })
        })
        .collect()
}

/// The categories of a new ward, parents before children.
#[must_use]
pub fn categories() -> Vec<Category> {
    rows(CATEGORIES)
        .filter_map(|row| {
            let [code, name, parent] = row.try_into().ok()?;
            Some(Category {
                code,
                name,
                parent: (!parent.is_empty()).then_some(parent),
            })
        })
        .collect()
}

/// Why a file of areas was not read; nothing of it was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ParseAreasError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub problem: &'static str,
}

/// Reads `code,name,type,parent,old_names,valid_from` with a header line; several old names are
/// divided by `;`, lines that begin with `#` are passed over.
///
/// # Errors
/// The first line that cannot be read.
pub fn parse_areas(csv: &str) -> Result<Vec<Area>, ParseAreasError> {
    let mut areas = Vec::new();
    let mut is_header_read = false;
    // A spreadsheet writes a byte order mark.
    for (index, line) in csv.trim_start_matches('\u{feff}').lines().enumerate() {
        let refuse = |problem| ParseAreasError {
            line: index + 1,
            problem,
        };
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let row = split(line);
        if !is_header_read {
            if row.join(",") != "code,name,type,parent,old_names,valid_from" {
                return Err(refuse(
                    "the first line must be code,name,type,parent,old_names,valid_from",
                ));
            }
            is_header_read = true;
            continue;
        }
        areas.push(parse_area(row).map_err(refuse)?);
        if areas.len() > AREAS_MAX {
            return Err(refuse("too many areas; import them in several files"));
        }
    }
    Ok(areas)
}

fn parse_area(row: Vec<String>) -> Result<Area, &'static str> {
    let normalize = gandan_core::model::text::normalize;
    let [code, name, type_label, parent, old_names, valid_from] = row
        .try_into()
        .map_err(|_| "a line must have six fields; put quotes around a field with a comma")?;
    Ok(Area {
        code: code.trim().to_owned(),
        name: normalize(&name),
        type_label: normalize(&type_label),
        parent: Some(parent.trim().to_owned()).filter(|parent| !parent.is_empty()),
        old_names: old_names
            .split(';')
            .map(normalize)
            .filter(|name| !name.is_empty())
            .collect(),
        valid_from: valid_from.trim().to_owned(),
        valid_to: None,
    })
}

fn old_wards(code: WardCode) -> Vec<OldWard> {
    keyed(OLD_WARDS, code.as_str())
        .filter_map(|row| {
            let [_, code, name, district, divided] = row.try_into().ok()?;
            Some(OldWard {
                code,
                name,
                district: find(OLD_DISTRICTS, &district)?.swap_remove(1),
                divided: divided == "1",
            })
        })
        .collect()
}

fn old_type_label(old: &OldWard) -> String {
    let kind = ["Thị trấn", "Phường", "Xã", "Thị xã"]
        .into_iter()
        .find(|kind| old.name.starts_with(kind))
        .unwrap_or("đơn vị")
        .to_lowercase();
    if old.divided {
        format!("{kind} cũ (một phần)")
    } else {
        format!("{kind} cũ")
    }
}

fn find(table: &'static str, key: &str) -> Option<Vec<String>> {
    keyed(table, key).next()
}

/// The rows whose first field is `key`; only these are taken apart.
fn keyed(table: &'static str, key: &str) -> impl Iterator<Item = Vec<String>> {
    let lines = table.lines().skip(1);
    lines
        .filter(move |line| line.split(',').next() == Some(key))
        .map(split)
}

fn rows(table: &'static str) -> impl Iterator<Item = Vec<String>> {
    table.lines().skip(1).map(split)
}

/// The fields of a line; a field with a comma stands in quotes, a quote in it is doubled.
fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                push(&mut fields, '"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            other => push(&mut fields, other),
        }
    }
    fields
}

fn push(fields: &mut [String], character: char) {
    if let Some(last) = fields.last_mut() {
        last.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(digits: &str) -> WardCode {
        digits.parse().unwrap()
    }

    #[test]
    fn the_ward_of_the_demo_is_known_with_its_old_wards() {
        let ward = ward(code("26995")).unwrap();
        assert_eq!(ward.name, "Phường Tân Hòa");
        assert_eq!(ward.other_name.as_deref(), Some("Phường Tân Hoà"));
        assert_eq!(ward.province, "Thành phố Hồ Chí Minh");
        let names: Vec<_> = ward.old_wards.iter().map(|old| &old.name[..]).collect();
        assert_eq!(names, ["Phường 6", "Phường 8", "Phường 9"]);
        assert!(
            ward.old_wards
                .iter()
                .all(|old| old.district == "Quận Tân Bình" && !old.divided)
        );
    }

    #[test]
    fn every_ward_of_the_register_can_be_made() {
        let mut count = 0;
        for row in rows(WARDS) {
            count += 1;
            // Reading all 3,321 against the whole mapping would be slow; one in fifty covers each file.
            if count % 50 == 1 {
                let ward = ward(code(&row[0])).unwrap();
                assert!(!ward.name.is_empty() && !ward.province.is_empty());
                assert!(!ward.old_wards.is_empty(), "{} has old wards", row[0]);
            }
        }
        assert_eq!(count, 3_321);
        let codes: std::collections::BTreeSet<_> = rows(WARDS).map(|row| row[0].clone()).collect();
        let districts: std::collections::BTreeSet<_> =
            rows(OLD_DISTRICTS).map(|row| row[0].clone()).collect();
        assert!(rows(OLD_WARDS).all(|row| codes.contains(&row[0]) && districts.contains(&row[3])));
    }

    #[test]
    fn an_old_ward_that_was_divided_says_so() {
        let ward = ward(code("00004")).unwrap();
        let old = ward
            .old_wards
            .iter()
            .find(|old| old.code == "00016")
            .unwrap();
        assert!(old.divided);
        assert!(
            first_areas(&ward)
                .iter()
                .any(|area| area.type_label == "phường cũ (một phần)")
        );
    }

    #[test]
    fn a_code_that_is_not_in_the_register_is_not_found() {
        assert_eq!(ward(code("99999")), None);
    }

    #[test]
    fn the_sample_areas_hang_under_the_old_wards_of_the_demo_ward() {
        let areas = parse_areas(SAMPLE_AREAS_26995).unwrap();
        let first = first_areas(&ward(code("26995")).unwrap());
        assert_eq!(areas.len(), 18);
        for area in &areas {
            assert!(
                first
                    .iter()
                    .any(|old| Some(&old.code) == area.parent.as_ref())
            );
        }
    }

    #[test]
    fn categories_name_parents_that_come_before_them() {
        let all = categories();
        for (index, category) in all.iter().enumerate() {
            if let Some(parent) = &category.parent {
                assert!(all[..index].iter().any(|other| other.code == *parent));
            }
        }
        for wanted in [
            "noise", "waste", "flooding", "lighting", "road", "permit", "water", "dispute",
            "animal", "tree", "other",
        ] {
            assert!(
                all.iter().any(|category| category.code == wanted),
                "{wanted}"
            );
        }
    }

    #[test]
    fn a_commune_has_its_own_divisions() {
        let commune = rows(WARDS).find(|row| row[1].starts_with("Xã")).unwrap();
        let commune = divisions(&ward(code(&commune[0])).unwrap());
        assert!(
            commune
                .iter()
                .any(|division| division.name == "Phòng Kinh tế")
        );
        assert!(
            commune
                .iter()
                .any(|division| division.name == "Công an xã" && division.is_outside)
        );
    }

    #[test]
    fn a_bad_line_of_areas_is_named() {
        let csv = "code,name,type,parent,old_names,valid_from\nA,Ấp 1,ấp,,,2025-07-01\nB,Ấp 2\n";
        assert_eq!(parse_areas(csv).unwrap_err().line, 3);
        assert_eq!(parse_areas("a,b\n").unwrap_err().line, 1);
    }

    #[test]
    fn a_quoted_field_keeps_its_comma() {
        assert_eq!(split(r#"a,"b, ""c""",d"#), ["a", r#"b, "c""#, "d"]);
    }
}
