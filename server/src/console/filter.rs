//! What the list shows, as the address says it: whoever copies the address sees the same list.

use gandan_core::model::{ReportedKind, Status, Urgency};
use gandan_core::store::rows::{CaseOrder, CaseQuery};

use super::fields::Fields;
use super::names::Names;

/// Cases on a page: as many as a clerk looks over before turning it.
pub(super) const PAGE_ROWS: u32 = 25;

/// Stands in the address for cases without an area.
pub(super) const UNPLACED_VALUE: &str = "unplaced";

/// Longest search; a whole sentence, far below what an address may be.
const SEARCH_CHARACTERS_MAX: usize = 200;

/// The state of the list. Empty texts do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) search: String,
    pub(super) statuses: Vec<Status>,
    pub(super) kind: String,
    pub(super) category: String,
    pub(super) area: String,
    pub(super) urgency: String,
    pub(super) division: String,
    pub(super) assignee: String,
    pub(super) order: CaseOrder,
    /// From 0.
    pub(super) page: u32,
}

impl Filter {
    /// Reads the query of an address. What it does not understand does not filter.
    pub(super) fn parse(query: &str) -> Self {
        let fields = Fields::parse(query.as_bytes());
        let mut statuses: Vec<Status> = fields
            .all("status")
            .filter_map(|code| Status::from_code(&code))
            .collect();
        statuses.sort_unstable();
        statuses.dedup();
        let page: u32 = fields.text("page").parse().unwrap_or(1);
        Self {
            search: fields
                .text("q")
                .chars()
                .take(SEARCH_CHARACTERS_MAX)
                .collect(),
            statuses,
            kind: fields.text("kind"),
            category: fields.text("category"),
            area: fields.text("area"),
            urgency: fields.text("urgency"),
            division: fields.text("division"),
            assignee: fields.text("assignee"),
            order: if fields.text("order") == "urgency" {
                CaseOrder::Urgency
            } else {
                CaseOrder::Newest
            },
            page: page.saturating_sub(1).min(u32::MAX / PAGE_ROWS - 1),
        }
    }

    /// The query of the address; empty for the list as it is first seen. The reverse of
    /// [`Filter::parse`].
    pub(super) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for status in &self.statuses {
            query.append_pair("status", status.code());
        }
        for (name, value) in [
            ("q", &self.search),
            ("kind", &self.kind),
            ("category", &self.category),
            ("area", &self.area),
            ("urgency", &self.urgency),
            ("division", &self.division),
            ("assignee", &self.assignee),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        if self.order == CaseOrder::Urgency {
            query.append_pair("order", "urgency");
        }
        if self.page > 0 {
            query.append_pair("page", &(self.page + 1).to_string());
        }
        query.finish()
    }

    /// The address of the list in this state.
    pub(super) fn url(&self) -> String {
        let query = self.query();
        if query.is_empty() {
            "/cases".to_owned()
        } else {
            format!("/cases?{query}")
        }
    }

    /// The same list in another state of its cases, from its first page.
    pub(super) fn with_statuses(&self, statuses: &[Status]) -> Self {
        Self {
            statuses: statuses.to_vec(),
            page: 0,
            ..self.clone()
        }
    }

    /// The same list, turned to another page.
    pub(super) fn at_page(&self, page: u32) -> Self {
        Self {
            page,
            ..self.clone()
        }
    }

    /// Whether anything but the state of cases narrows the list.
    pub(super) fn is_narrowed(&self) -> bool {
        let bare = Self {
            statuses: self.statuses.clone(),
            order: self.order,
            page: self.page,
            ..Self::default()
        };
        *self != bare
    }

    /// What to ask the rows for. A category or an area stands for everything below it.
    pub(super) fn to_query(&self, names: &Names) -> CaseQuery {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        CaseQuery {
            search: some(&self.search),
            statuses: self.statuses.clone(),
            kinds: some(&self.kind).into_iter().collect(),
            categories: some(&self.category)
                .map(|code| names.categories_below(&code))
                .unwrap_or_default(),
            areas: match self.area.as_str() {
                "" => Vec::new(),
                UNPLACED_VALUE => vec![String::new()],
                code => names.areas_below(code),
            },
            urgencies: Urgency::from_code(&self.urgency).into_iter().collect(),
            division: some(&self.division),
            assignee: some(&self.assignee),
            order: self.order,
            limit: PAGE_ROWS,
            offset: self.page * PAGE_ROWS,
            ..CaseQuery::default()
        }
    }
}

/// Kinds that a list can be narrowed to: legal kinds are named as reported ones, and a denunciation
/// is no kind to look for.
pub(super) fn kinds() -> impl Iterator<Item = ReportedKind> {
    ReportedKind::ALL
        .iter()
        .copied()
        .filter(|&kind| kind != ReportedKind::Denunciation)
}

#[cfg(test)]
mod tests {
    use super::super::names::tests::sample;
    use super::*;

    #[test]
    fn an_address_holds_the_whole_state_of_the_list() {
        let filter = Filter {
            search: "nắp cống & <b>".to_owned(),
            statuses: vec![Status::Recorded, Status::Reopened],
            kind: "complaint".to_owned(),
            category: "road".to_owned(),
            area: "6-9".to_owned(),
            urgency: "urgent".to_owned(),
            division: "police".to_owned(),
            assignee: "Nguyễn Thị Dung".to_owned(),
            order: CaseOrder::Urgency,
            page: 3,
        };
        assert_eq!(Filter::parse(&filter.query()), filter);
        assert_eq!(Filter::default().url(), "/cases");
    }

    #[test]
    fn what_an_address_should_not_say_does_not_filter() {
        let filter = Filter::parse("status=nonsense&page=0&order=x&urgency=never&page=99999999999");
        assert_eq!(
            filter,
            Filter {
                urgency: "never".to_owned(),
                ..Filter::default()
            }
        );
        assert!(filter.to_query(&sample()).urgencies.is_empty());
        let far = Filter::parse("page=4294967295");
        assert!(far.to_query(&sample()).offset > 0);
    }

    #[test]
    fn an_area_and_a_category_ask_for_what_lies_below_them() {
        let query = Filter::parse("area=8&category=infrastructure&page=2").to_query(&sample());
        assert_eq!(query.areas, ["8", "8-9", "8-9-t1"]);
        assert_eq!(query.categories, ["infrastructure", "road"]);
        assert_eq!((query.limit, query.offset), (25, 25));
        let unplaced = Filter::parse("area=unplaced").to_query(&sample());
        assert_eq!(unplaced.areas, [""]);
    }
}
