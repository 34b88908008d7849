//! Reference data of one ward, sent whole to its devices: areas, officers, divisions, categories.

use super::{OfficerId, Role, WardCode};

/// Code of an area, unique within its ward.
pub type AreaCode = String;

/// A unit that existed before July 2025 and whose name people still say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldWard {
    /// Its code in the old register.
    pub code: String,
    /// Such as `Phường 6`.
    pub name: String,
    /// Such as `Quận Tân Bình`.
    pub district: String,
    /// Whether it was divided among several new wards.
    pub divided: bool,
}

/// A node of the ward's dated tree: khu phố, ấp, thôn, tổ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Unique within the ward.
    pub code: AreaCode,
    /// Such as `Khu phố 3`. Repeats inside a merged ward: show the old ward beside it.
    pub name: String,
    /// The free label of its type, such as `khu phố`.
    pub type_label: String,
    /// The area above it.
    pub parent: Option<AreaCode>,
    /// Names it had before, newest first, such as `Phường 6 (Quận Tân Bình)`.
    pub old_names: Vec<String>,
    /// First day of validity, `yyyy-mm-dd`.
    pub valid_from: String,
    /// Last day of validity, if it is over.
    pub valid_to: Option<String>,
}

/// A person of the ward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    /// Stable for life.
    pub id: OfficerId,
    /// NFC.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// A part of the ward's office, or an outside body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// English code.
    pub code: String,
    /// Vietnamese name.
    pub name: String,
    /// Police and military command are outside bodies.
    pub is_outside: bool,
}

/// What a case is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// English code.
    pub code: String,
    /// Vietnamese name.
    pub name: String,
    /// The category above it.
    pub parent: Option<String>,
}

/// Everything a device must know of its ward to record offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// The ward's code.
    pub ward: WardCode,
    /// Such as `Phường Tân Hòa`.
    pub ward_name: String,
    /// Such as `Thành phố Hồ Chí Minh`.
    pub province: String,
    /// The units that the ward was made of.
    pub old_wards: Vec<OldWard>,
    /// The tree, parents before children.
    pub areas: Vec<Area>,
    /// People who may appear as authors or assignees.
    pub officers: Vec<Officer>,
    /// Where work is sent.
    pub divisions: Vec<Division>,
    /// What cases are about, parents before children.
    pub categories: Vec<Category>,
}
