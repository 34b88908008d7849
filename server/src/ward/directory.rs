//! The ward's reference data: areas, officers, divisions, categories.

use gandan_core::model::{Area, Category, Directory, Division, Officer, OfficerId, OldWard, Role};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::audit::{Entry, Kind};
use super::connections::Work;
use super::scope::Scope;
use super::{WardError, floor, settings};
use crate::register::{self, RegisteredWard};

/// Longest name of a person or a place that the ward takes, in bytes.
const NAME_BYTES_MAX: usize = 200;

pub(super) fn seed(connection: &Connection, ward: &RegisteredWard) -> rusqlite::Result<()> {
    for old in &ward.old_wards {
        connection.execute(
            "INSERT INTO old_wards (code, name, district, divided) VALUES (?1, ?2, ?3, ?4)",
            params![old.code, old.name, old.district, old.divided],
        )?;
    }
    for area in register::first_areas(ward) {
        put_area(connection, &area)?;
    }
    for (position, division) in register::divisions(ward).iter().enumerate() {
        connection.execute(
            "INSERT INTO divisions (code, position, name, is_outside) VALUES (?1, ?2, ?3, ?4)",
            params![
                division.code,
                position as i64,
                division.name,
                division.is_outside
            ],
        )?;
    }
    for (position, category) in register::categories().iter().enumerate() {
        connection.execute(
            "INSERT INTO categories (code, position, name, parent) VALUES (?1, ?2, ?3, ?4)",
            params![
                category.code,
                position as i64,
                category.name,
                category.parent
            ],
        )?;
    }
    Ok(())
}

pub(super) fn read(
    connection: &Connection,
    ward: gandan_core::model::WardCode,
) -> Result<Directory, WardError> {
    let setting = |name| settings::read_text(connection, name).map(Option::unwrap_or_default);
    Ok(Directory {
        ward,
        ward_name: setting(settings::NAME)?,
        province: setting(settings::PROVINCE)?,
        old_wards: list(
            connection,
            "SELECT code, name, district, divided FROM old_wards ORDER BY code",
            |row| {
                Ok(OldWard {
                    code: row.get(0)?,
                    name: row.get(1)?,
                    district: row.get(2)?,
                    divided: row.get(3)?,
                })
            },
        )?,
        areas: areas(connection)?,
        officers: list(
            connection,
            "SELECT id, name, role FROM officers ORDER BY created_at, id",
            |row| {
                Ok(Officer {
                    id: OfficerId(Uuid::from_bytes(row.get(0)?)),
                    name: row.get(1)?,
                    role: role(row, 2)?,
                })
            },
        )?,
        divisions: list(
            connection,
            "SELECT code, name, is_outside FROM divisions ORDER BY position",
            |row| {
                Ok(Division {
                    code: row.get(0)?,
                    name: row.get(1)?,
                    is_outside: row.get(2)?,
                })
            },
        )?,
        categories: list(
            connection,
            "SELECT code, name, parent FROM categories ORDER BY position",
            |row| {
                Ok(Category {
                    code: row.get(0)?,
                    name: row.get(1)?,
                    parent: row.get(2)?,
                })
            },
        )?,
    })
}

/// A role as stored.
pub(super) fn role(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Role> {
    let code: String = row.get(column)?;
    Role::from_code(&code).ok_or_else(|| {
        rusqlite::Error::InvalidColumnType(column, "role".to_owned(), rusqlite::types::Type::Text)
    })
}

fn list<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection
        .prepare_cached(sql)?
        .query_map([], read)?
        .collect()
}

fn areas(connection: &Connection) -> rusqlite::Result<Vec<Area>> {
    // An area is always put in after the one above it, so position is an order in which parents come first.
    list(
        connection,
        "SELECT code, name, type_label, parent, old_names, valid_from, valid_to
         FROM areas ORDER BY position",
        |row| {
            let old_names: String = row.get(4)?;
            Ok(Area {
                code: row.get(0)?,
                name: row.get(1)?,
                type_label: row.get(2)?,
                parent: row.get(3)?,
                old_names: old_names.lines().map(str::to_owned).collect(),
                valid_from: row.get(5)?,
                valid_to: row.get(6)?,
            })
        },
    )
}

fn put_area(connection: &Connection, area: &Area) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO areas (code, position, name, type_label, parent, old_names, valid_from, valid_to)
         VALUES (?1, (SELECT COALESCE(MAX(position), 0) + 1 FROM areas), ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (code) DO UPDATE SET
           name = excluded.name, type_label = excluded.type_label,
           old_names = excluded.old_names, valid_from = excluded.valid_from, valid_to = excluded.valid_to",
        params![
            area.code,
            area.name,
            area.type_label,
            area.parent,
            area.old_names.join("\n"),
            area.valid_from,
            area.valid_to
        ],
    )?;
    Ok(())
}

/// What an officer may see.
pub(super) fn scope(
    connection: &Connection,
    officer: OfficerId,
    role: Role,
) -> rusqlite::Result<Scope> {
    let own = officer_areas(connection, officer)?;
    let tree = if own.is_empty() {
        Vec::new()
    } else {
        tree(connection)?
    };
    let floor = floor::current(connection)?;
    Ok(Scope::new(officer, role, &own, &tree, floor))
}

fn officer_areas(connection: &Connection, officer: OfficerId) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT area FROM officer_areas WHERE officer = ?1 ORDER BY area")?
        .query_map([officer.0.as_bytes()], |row| row.get(0))?
        .collect()
}

fn tree(connection: &Connection) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    list(connection, "SELECT code, parent FROM areas", |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

impl Work<'_> {
    /// The officer of this name and role, made if there is none. Areas that are named replace the
    /// officer's; no areas leave them as they are.
    pub(super) fn officer(
        &mut self,
        name: &str,
        role: Role,
        areas: &[String],
    ) -> Result<OfficerId, WardError> {
        let name = gandan_core::model::text::normalize(name);
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(WardError::Invalid(
                "tên dài 1 đến 200 byte (a name must have 1 to 200 bytes)",
            ));
        }
        let areas = self.resolve_areas(areas)?;
        let known: Option<[u8; 16]> = self
            .connection
            .query_row(
                "SELECT id FROM officers WHERE name = ?1 AND role = ?2 ORDER BY created_at LIMIT 1",
                params![name, role.code()],
                |row| row.get(0),
            )
            .optional()?;
        let officer = match known {
            Some(id) => OfficerId(Uuid::from_bytes(id)),
            None => self.make_officer(&name, role)?,
        };
        if !areas.is_empty() {
            self.put_officer_areas(officer, &areas)?;
        }
        Ok(officer)
    }

    /// Other areas for an officer who is there; none: the whole ward.
    pub(super) fn set_areas(
        &mut self,
        name: &str,
        areas: &[String],
    ) -> Result<OfficerId, WardError> {
        let name = gandan_core::model::text::normalize(name);
        let areas = self.resolve_areas(areas)?;
        let named: Vec<[u8; 16]> = self
            .connection
            .prepare("SELECT id FROM officers WHERE name = ?1 AND role = 'officer'")?
            .query_map([&name], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let [officer] = named[..] else {
            return Err(WardError::NotFound("officer"));
        };
        let officer = OfficerId(Uuid::from_bytes(officer));
        self.put_officer_areas(officer, &areas)?;
        Ok(officer)
    }

    fn put_officer_areas(&mut self, officer: OfficerId, areas: &[String]) -> Result<(), WardError> {
        self.connection.execute(
            "DELETE FROM officer_areas WHERE officer = ?1",
            [officer.0.as_bytes()],
        )?;
        for area in areas {
            self.connection.execute(
                "INSERT INTO officer_areas (officer, area) VALUES (?1, ?2)",
                params![officer.0.as_bytes(), area],
            )?;
        }
        self.renew_scope(officer)?;
        let entry = Entry::of(Kind::AreasGiven).about(officer);
        self.audit(entry.counting("areas", areas.len() as u64))
    }

    pub(super) fn make_officer(&mut self, name: &str, role: Role) -> Result<OfficerId, WardError> {
        self.happened.has_changed_directory = true;
        let officer = OfficerId(self.shared.uuid(self.now));
        self.connection.execute(
            "INSERT INTO officers (id, name, role, scope_version, created_at)
             VALUES (?1, ?2, ?3, 0, ?4)",
            params![officer.0.as_bytes(), name, role.code(), self.now.0],
        )?;
        self.renew_scope(officer)?;
        self.audit(Entry::of(Kind::OfficerAdded).about(officer))?;
        Ok(officer)
    }

    /// Codes of areas for codes or names as typed, in order and once each.
    fn resolve_areas(&self, typed: &[String]) -> Result<Vec<String>, WardError> {
        let all = areas(self.connection)?;
        let mut codes = Vec::new();
        for word in typed {
            let word = gandan_core::model::text::normalize(word);
            let by_name = || {
                let mut named = all.iter().filter(|area| area.name == word);
                let first = named.next()?;
                named.next().is_none().then_some(first)
            };
            let area = all
                .iter()
                .find(|area| area.code == word)
                .or_else(by_name)
                .ok_or(WardError::Invalid(
                    "không có khu vực này, hoặc nhiều khu vực trùng tên; hãy ghi mã của nó (an area is not in the ward's tree, or several have this name; give its code)",
                ))?;
            codes.push(area.code.clone());
        }
        codes.sort();
        codes.dedup();
        Ok(codes)
    }

    /// Adds areas, or changes names and dates of those that are there; parents come before children.
    pub(super) fn put_areas(&mut self, new: &[Area]) -> Result<(), WardError> {
        self.happened.has_changed_directory = true;
        let mut known = tree(self.connection)?;
        for area in new {
            check_area(area)?;
            let is_parent_known = |parent: &String| known.iter().any(|(code, _)| code == parent);
            if !area.parent.as_ref().is_none_or(is_parent_known) {
                return Err(WardError::Invalid(
                    "khu vực cha phải có trước trong cây; hãy ghi cha trước con (the parent of an area must be in the tree already; put parents first)",
                ));
            }
            match known.iter().find(|(code, _)| *code == area.code) {
                Some((_, parent)) if *parent != area.parent => {
                    return Err(WardError::Invalid(
                        "khu vực không đổi chỗ trong cây; hãy kết thúc nó và thêm khu vực mã mới (an area stays where it is in the tree; end it and add one with a new code)",
                    ));
                }
                Some(_) => {}
                None => known.push((area.code.clone(), area.parent.clone())),
            }
            put_area(self.connection, area)?;
        }
        if known.len() > register::AREAS_MAX {
            return Err(WardError::Invalid(
                "một phường có nhiều nhất 3.000 khu vực (a ward has at most 3,000 areas)",
            ));
        }
        // A directory that cannot be sent would leave every phone with an old one, without a word.
        let directory = read(self.connection, self.shared.code)?;
        gandan_core::protocol::directory::seal(&directory)
            .map_err(|_| WardError::Invalid("cây khu vực quá lớn cho điện thoại, hãy rút ngắn tên (the tree is too large for phones; shorten names)"))?;
        // Cases may name an area before the tree has it: whoever works above it sees them from now on.
        let officers: Vec<[u8; 16]> = list(
            self.connection,
            "SELECT DISTINCT officer FROM officer_areas",
            |row| row.get(0),
        )?;
        for officer in officers {
            self.renew_scope(OfficerId(Uuid::from_bytes(officer)))?;
        }
        self.audit(Entry::of(Kind::AreasChanged).counting("areas", new.len() as u64))
    }
}

fn check_area(area: &Area) -> Result<(), WardError> {
    let is_code = |code: &str| {
        (1..=40).contains(&code.len())
            && code
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if !is_code(&area.code) {
        return Err(WardError::Invalid(
            "mã khu vực gồm 1 đến 40 chữ cái không dấu, chữ số, gạch nối, dấu chấm hoặc gạch dưới (the code of an area has 1 to 40 letters, digits, hyphens, dots or underscores)",
        ));
    }
    let texts = [&area.name, &area.type_label];
    if texts
        .iter()
        .any(|text| text.is_empty() || text.len() > NAME_BYTES_MAX)
    {
        return Err(WardError::Invalid(
            "một khu vực cần có tên và loại, mỗi thứ dài nhất 200 byte (an area needs a name and a type of at most 200 bytes)",
        ));
    }
    if area.old_names.len() > 16
        || area
            .old_names
            .iter()
            .any(|name| name.len() > NAME_BYTES_MAX || name.contains('\n'))
    {
        return Err(WardError::Invalid(
            "một khu vực có nhiều nhất 16 tên cũ, mỗi tên dài nhất 200 byte (an area has at most 16 old names of at most 200 bytes)",
        ));
    }
    let is_date = |date: &str| date.parse::<jiff::civil::Date>().is_ok() && date.len() == 10;
    if !is_date(&area.valid_from) || !area.valid_to.as_deref().is_none_or(is_date) {
        return Err(WardError::Invalid(
            "ngày viết theo dạng 2025-07-01 (a date is written 2025-07-01)",
        ));
    }
    Ok(())
}
