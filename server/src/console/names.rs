//! Vietnamese names for the codes of a ward's own data: areas with the old ward beside them,
//! categories, divisions, people.

use gandan_core::model::{Area, Directory, OfficerId, Role};

use super::collation;
use super::page::Choice;

/// What is shown for an area that no tree has.
pub(super) const UNPLACED: &str = "Chưa xếp địa bàn";

/// Looks codes up in the ward's directory. A code that it does not know is shown as it is: an import
/// may have brought a free label.
pub(super) struct Names {
    directory: Directory,
}

/// An area as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AreaName {
    /// Such as `Khu phố 3`, or the old ward itself.
    pub(super) name: String,
    /// Such as `Phường 6 cũ (Quận Tân Bình)`: names of khu phố repeat inside a merged ward.
    pub(super) old: Option<String>,
}

impl AreaName {
    /// For a list: `Khu phố 3 · Phường 6 cũ`.
    pub(super) fn short(&self) -> String {
        match &self.old {
            Some(old) => format!("{} · {}", self.name, without_district(old)),
            None => self.name.clone(),
        }
    }
}

impl Names {
    pub(super) fn new(directory: Directory) -> Self {
        Self { directory }
    }

    /// Such as `Phường Tân Hòa`.
    pub(super) fn ward(&self) -> &str {
        &self.directory.ward_name
    }

    /// The name of an area; `None` is 'unplaced'.
    pub(super) fn area(&self, code: Option<&str>) -> AreaName {
        let known = |code| self.directory.areas.iter().find(|area| area.code == code);
        let Some(code) = code.filter(|code| !code.is_empty()) else {
            return AreaName {
                name: UNPLACED.to_owned(),
                old: None,
            };
        };
        let Some(area) = known(code) else {
            return AreaName {
                name: code.to_owned(),
                old: None,
            };
        };
        let root = self.root(area);
        let old = root.old_names.first().map(|name| with_old(name));
        if std::ptr::eq(root, area) {
            // The old ward itself: its name alone would be taken for a new ward's.
            AreaName {
                name: old.unwrap_or_else(|| area.name.clone()),
                old: None,
            }
        } else {
            AreaName {
                name: area.name.clone(),
                old: old.or_else(|| Some(root.name.clone())),
            }
        }
    }

    /// The area and everything below it.
    pub(super) fn areas_below(&self, code: &str) -> Vec<String> {
        below(
            code,
            self.directory
                .areas
                .iter()
                .map(|area| (area.code.as_str(), area.parent.as_deref())),
        )
    }

    /// The category and everything below it.
    pub(super) fn categories_below(&self, code: &str) -> Vec<String> {
        below(
            code,
            self.directory
                .categories
                .iter()
                .map(|category| (category.code.as_str(), category.parent.as_deref())),
        )
    }

    /// The name of a category.
    pub(super) fn category(&self, code: &str) -> String {
        self.directory
            .categories
            .iter()
            .find(|category| category.code == code)
            .map_or_else(|| code.to_owned(), |category| category.name.clone())
    }

    /// Whether the ward has this category.
    pub(super) fn has_category(&self, code: &str) -> bool {
        self.directory
            .categories
            .iter()
            .any(|category| category.code == code)
    }

    /// Whether the ward has this area.
    pub(super) fn has_area(&self, code: &str) -> bool {
        self.directory.areas.iter().any(|area| area.code == code)
    }

    /// Whether the ward has this division.
    pub(super) fn has_division(&self, code: &str) -> bool {
        self.directory
            .divisions
            .iter()
            .any(|division| division.code == code)
    }

    /// The name of a division.
    pub(super) fn division(&self, code: &str) -> String {
        self.directory
            .divisions
            .iter()
            .find(|division| division.code == code)
            .map_or_else(|| code.to_owned(), |division| division.name.clone())
    }

    /// The name of a person.
    pub(super) fn officer(&self, id: OfficerId) -> String {
        self.directory
            .officers
            .iter()
            .find(|officer| officer.id == id)
            .map_or_else(
                || "Người không còn trong danh sách".to_owned(),
                |officer| officer.name.clone(),
            )
    }

    /// Every area, parents before children, those below set in.
    pub(super) fn area_choices(&self) -> Vec<Choice> {
        let mut areas: Vec<&Area> = self.directory.areas.iter().collect();
        areas.sort_by_cached_key(|area| self.path(area));
        areas
            .into_iter()
            .map(|area| Choice::new(&area.code, self.area(Some(&area.code)).short()))
            .collect()
    }

    /// Every category, those below another set in.
    pub(super) fn category_choices(&self) -> Vec<Choice> {
        let roots = self.directory.categories.iter();
        let mut choices = Vec::new();
        for root in roots.filter(|category| category.parent.is_none()) {
            choices.push(Choice::new(&root.code, &root.name));
            for child in &self.directory.categories {
                if child.parent.as_ref() == Some(&root.code) {
                    choices.push(Choice::new(&child.code, format!("\u{2003}{}", child.name)));
                }
            }
        }
        choices
    }

    /// Every division.
    pub(super) fn division_choices(&self) -> Vec<Choice> {
        self.directory
            .divisions
            .iter()
            .map(|division| {
                let outside = if division.is_outside {
                    " (ngoài phường)"
                } else {
                    ""
                };
                Choice::new(&division.code, format!("{}{outside}", division.name))
            })
            .collect()
    }

    /// People to whom work can be given, by given name.
    pub(super) fn officer_choices(&self) -> Vec<Choice> {
        let mut names: Vec<&str> = self
            .directory
            .officers
            .iter()
            .filter(|officer| officer.role != Role::Admin)
            .map(|officer| officer.name.as_str())
            .collect();
        collation::sort_by_given_name(&mut names, |name| name);
        names.dedup();
        names
            .into_iter()
            .map(|name| Choice::new(name, name))
            .collect()
    }

    fn root<'a>(&'a self, area: &'a Area) -> &'a Area {
        let mut root = area;
        // A tree is as deep as it has nodes; data that goes round in a circle ends here too.
        for _ in 0..self.directory.areas.len() {
            let parent = root.parent.as_ref();
            match parent.and_then(|code| self.directory.areas.iter().find(|a| a.code == *code)) {
                Some(parent) => root = parent,
                None => break,
            }
        }
        root
    }

    /// Names from the root down, numbers as numbers: khu phố 10 comes after khu phố 9.
    fn path(&self, area: &Area) -> Vec<(String, u64)> {
        let mut path = vec![natural(&area.name)];
        let mut child = area;
        while let Some(parent) = child
            .parent
            .as_ref()
            .and_then(|code| self.directory.areas.iter().find(|a| a.code == *code))
        {
            if path.len() > self.directory.areas.len() {
                break;
            }
            path.push(natural(&parent.name));
            child = parent;
        }
        path.reverse();
        path
    }
}

fn natural(name: &str) -> (String, u64) {
    let words = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = name[words.len()..].parse().unwrap_or(0);
    (words.to_owned(), number)
}

fn below<'a>(
    code: &str,
    tree: impl Iterator<Item = (&'a str, Option<&'a str>)> + Clone,
) -> Vec<String> {
    let mut found = vec![code.to_owned()];
    let mut next = 0;
    while next < found.len() {
        for (child, parent) in tree.clone() {
            if parent == Some(found[next].as_str()) && !found.iter().any(|code| code == child) {
                found.push(child.to_owned());
            }
        }
        next += 1;
    }
    found
}

/// `Phường 6 (Quận Tân Bình)` becomes `Phường 6 cũ (Quận Tân Bình)`.
fn with_old(name: &str) -> String {
    match name.split_once(" (") {
        Some((name, district)) => format!("{name} cũ ({district}"),
        None => format!("{name} cũ"),
    }
}

fn without_district(old: &str) -> &str {
    old.split_once(" (").map_or(old, |(name, _)| name)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use gandan_core::model::{Category, Division, Officer, OldWard};
    use uuid::Uuid;

    /// A small ward that was made of two.
    pub(in crate::console) fn sample() -> Names {
        let area = |code: &str, name: &str, parent: Option<&str>, old: &[&str]| Area {
            code: code.to_owned(),
            name: name.to_owned(),
            type_label: "khu phố".to_owned(),
            parent: parent.map(str::to_owned),
            old_names: old.iter().map(|&name| name.to_owned()).collect(),
            valid_from: "2025-07-01".to_owned(),
            valid_to: None,
        };
        let category = |code: &str, name: &str, parent: Option<&str>| Category {
            code: code.to_owned(),
            name: name.to_owned(),
            parent: parent.map(str::to_owned),
        };
        Names::new(Directory {
            ward: "26995".parse().unwrap(),
            ward_name: "Phường Tân Hòa".to_owned(),
            province: "Thành phố Hồ Chí Minh".to_owned(),
            old_wards: vec![OldWard {
                code: "26995".to_owned(),
                name: "Phường 6".to_owned(),
                district: "Quận Tân Bình".to_owned(),
                divided: false,
            }],
            areas: vec![
                area("6", "Phường 6", None, &["Phường 6 (Quận Tân Bình)"]),
                area("8", "Phường 8", None, &["Phường 8 (Quận Tân Bình)"]),
                area("6-10", "Khu phố 10", Some("6"), &[]),
                area("6-9", "Khu phố 9", Some("6"), &["Khu phố 9 Phường 6"]),
                area("8-9", "Khu phố 9", Some("8"), &[]),
                area("8-9-t1", "Tổ 1", Some("8-9"), &[]),
            ],
            officers: vec![
                Officer {
                    id: OfficerId(Uuid::from_u128(1)),
                    name: "Trần Văn Đạt".to_owned(),
                    role: Role::Officer,
                },
                Officer {
                    id: OfficerId(Uuid::from_u128(2)),
                    name: "Nguyễn Thị Dung".to_owned(),
                    role: Role::Triage,
                },
                Officer {
                    id: OfficerId(Uuid::from_u128(3)),
                    name: "Quản trị".to_owned(),
                    role: Role::Admin,
                },
            ],
            divisions: vec![Division {
                code: "police".to_owned(),
                name: "Công an phường".to_owned(),
                is_outside: true,
            }],
            categories: vec![
                category("infrastructure", "Hạ tầng đô thị", None),
                category("other", "Khác", None),
                category("road", "Đường, vỉa hè", Some("infrastructure")),
            ],
        })
    }

    #[test]
    fn a_neighbourhood_is_shown_with_its_old_ward_beside_it() {
        let names = sample();
        assert_eq!(names.area(Some("6-9")).short(), "Khu phố 9 · Phường 6 cũ");
        assert_eq!(
            names.area(Some("8-9-t1")).old.as_deref(),
            Some("Phường 8 cũ (Quận Tân Bình)")
        );
        assert_eq!(names.area(Some("8")).short(), "Phường 8 cũ (Quận Tân Bình)");
        assert_eq!(names.area(None).short(), UNPLACED);
        assert_eq!(names.area(Some("xóm Chùa")).short(), "xóm Chùa");
    }

    #[test]
    fn an_area_stands_for_everything_below_it() {
        let names = sample();
        assert_eq!(names.areas_below("8"), ["8", "8-9", "8-9-t1"]);
        assert_eq!(
            names.categories_below("infrastructure"),
            ["infrastructure", "road"]
        );
    }

    #[test]
    fn choices_come_in_the_order_in_which_people_look_for_them() {
        let names = sample();
        let labels = |choices: Vec<Choice>| {
            choices
                .into_iter()
                .map(|choice| choice.label)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            labels(names.area_choices()),
            [
                "Phường 6 cũ (Quận Tân Bình)",
                "Khu phố 9 · Phường 6 cũ",
                "Khu phố 10 · Phường 6 cũ",
                "Phường 8 cũ (Quận Tân Bình)",
                "Khu phố 9 · Phường 8 cũ",
                "Tổ 1 · Phường 8 cũ",
            ]
        );
        assert_eq!(
            labels(names.officer_choices()),
            ["Nguyễn Thị Dung", "Trần Văn Đạt"]
        );
        assert_eq!(
            labels(names.category_choices()),
            ["Hạ tầng đô thị", "\u{2003}Đường, vỉa hè", "Khác"]
        );
    }
}
