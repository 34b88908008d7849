//! The day's work part by part, in one process and without a network: what one thread spends on
//! recording, admitting, making a page, opening and applying it, searching.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use gandan_core::model::{Role, Status};
use gandan_core::replica::{CaseChange, NewVisit};
use gandan_core::store::rows::CaseQuery;
use gandan_server::ward::Ward;

use super::steps::{self, Phone};
use super::{invented, words, workload};

/// How often a list and a search are asked for.
const QUERIES: usize = 10;

/// Plays the day of `count` invented cases in `root` and gives a table.
///
/// # Errors
/// In words.
pub fn run(root: &Path, count: usize) -> Result<String, String> {
    let ward = steps::ward(root)?;
    let a = Phone::enrol(root, "a", &ward, Role::Leader)?;
    let b = Phone::enrol(root, "b", &ward, Role::Triage)?;
    let cases = invented::cases(count, 1);
    let mut meter = Meter::default();

    let mut visits = BTreeMap::new();
    for case in &cases {
        let mut form = case.to_form()?;
        if !visits.contains_key(&case.visit) {
            let visit = NewVisit {
                external_ref: Some(case.visit.clone()),
                area: form.area.clone(),
                started_at: form.recorded_at,
                ..NewVisit::default()
            };
            let visit = meter.time("record", "visit", 1, || a.replica.start_visit(visit));
            visits.insert(&case.visit, visit.map_err(words)?);
        }
        form.visit = visits.get(&case.visit).copied();
        let recorded = meter.time("record", "case", 1, || a.replica.record_case(form));
        recorded.map_err(words)?;
    }
    a.push("push", &ward, &mut meter)?;
    a.pull("push", &ward, &mut meter)?;
    b.pull("pull", &ward, &mut meter)?;
    for name in ["list", "search"] {
        for query in 0..=QUERIES {
            let search = (name == "search").then(|| "lê lợi".to_owned());
            let asked = CaseQuery {
                limit: 50,
                search,
                ..CaseQuery::default()
            };
            let part = if query == 0 { "first" } else { "next" };
            let found = meter.time(name, part, 1, || b.replica.cases(&asked));
            found.map_err(words)?;
        }
    }

    let find = |phone: &Phone, index: usize| {
        let found = phone.replica.find_case(&cases[index].id);
        let found = found.map_err(words)?;
        found.ok_or_else(|| format!("{} is not here", cases[index].id))
    };
    let noted: Vec<_> = workload::noted(count)
        .map(|index| Ok((index, find(&a, index)?)))
        .collect::<Result<_, String>>()?;
    let assigned: Vec<_> = workload::assigned(count)
        .map(|index| Ok((index, find(&b, index)?)))
        .collect::<Result<_, String>>()?;
    for (index, id) in noted {
        let text = workload::note(index).1;
        let noted = meter.time("edit", "note", 1, || a.replica.add_note(id, &text));
        noted.map_err(words)?;
    }
    for (index, id) in assigned {
        let change = CaseChange {
            status: Some(Status::Accepted),
            assignee: Some(workload::assignee(index)),
            ..CaseChange::default()
        };
        let edited = meter.time("edit", "assign", 1, || b.replica.edit_case(id, change));
        edited.map_err(words)?;
    }
    for phone in [&a, &b] {
        phone.push("edits up", &ward, &mut meter)?;
    }
    for phone in [&a, &b] {
        phone.pull("edits down", &ward, &mut meter)?;
    }
    Ok(meter.table())
}

impl Phone {
    /// Everything unsent goes up.
    pub(super) fn push(
        &self,
        phase: &'static str,
        ward: &Ward,
        meter: &mut Meter,
    ) -> Result<(), String> {
        self.begin()?;
        loop {
            let (bundle, cost) = metered(|| self.seal());
            let Some(bundle) = bundle? else {
                return Ok(());
            };
            let (verdicts, admission) = metered(|| self.admit(ward, bundle.sealed));
            let verdicts = verdicts?;
            let edits = verdicts.len();
            meter.add(phase, "phone seals", edits, cost);
            meter.add(phase, "ward admits", edits, admission);
            meter.time(phase, "phone records verdicts", edits, || {
                self.hear(bundle.id, verdicts)
            })?;
        }
    }

    /// Everything that follows in the feed comes down.
    pub(super) fn pull(
        &self,
        phase: &'static str,
        ward: &Ward,
        meter: &mut Meter,
    ) -> Result<(), String> {
        let mut cursor = self.begin()?;
        loop {
            let (page, read) = metered(|| self.read(ward, cursor));
            let Some(page) = page? else {
                return Ok(());
            };
            let edits = page.proof.entries.len();
            meter.add(phase, "ward reads", edits, read);
            let sealed = meter.time(phase, "ward packs", edits, || page.seal());
            let page = meter.time(phase, "phone opens", edits, || self.open(&sealed))?;
            cursor = page.cursor.clone().ok_or("a page without a cursor")?;
            meter.time(phase, "phone applies", edits, || self.apply(page))?;
        }
    }
}

/// What one thing cost, in microseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    processor_us: f64,
    wall_us: f64,
}

#[expect(clippy::disallowed_methods, reason = "measures a duration")]
fn metered<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let (wall, processor) = (Instant::now(), processor_us());
    let value = work();
    let cost = Cost {
        processor_us: processor_us() - processor,
        wall_us: wall.elapsed().as_secs_f64() * 1e6,
    };
    (value, cost)
}

/// What this thread has used of a processor; 0 where the system does not say.
fn processor_us() -> f64 {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = said.split(' ').next().and_then(|field| field.parse().ok());
    nanoseconds.unwrap_or(0.0) / 1e3
}

/// Sums by part, in the order in which the parts came.
#[derive(Default)]
pub(super) struct Meter(Vec<(&'static str, &'static str, usize, Cost)>);

impl Meter {
    pub(super) fn time<T>(
        &mut self,
        phase: &'static str,
        part: &'static str,
        count: usize,
        work: impl FnOnce() -> T,
    ) -> T {
        let (value, cost) = metered(work);
        self.add(phase, part, count, cost);
        value
    }

    fn add(&mut self, phase: &'static str, part: &'static str, count: usize, cost: Cost) {
        let known = self
            .0
            .iter_mut()
            .find(|line| (line.0, line.1) == (phase, part));
        match known {
            Some((_, _, sum, costs)) => {
                *sum += count;
                costs.processor_us += cost.processor_us;
                costs.wall_us += cost.wall_us;
            }
            None => self.0.push((phase, part, count, cost)),
        }
    }

    pub(super) fn table(&self) -> String {
        let mut table = format!(
            "{:<11} {:<23} {:>8} {:>13} {:>9} {:>8}\n",
            "phase", "part", "of", "processor µs", "wall µs", "sum, ms"
        );
        for (phase, part, count, cost) in &self.0 {
            let each = |us: f64| us / (*count).max(1) as f64;
            table.push_str(&format!(
                "{phase:<11} {part:<23} {count:>8} {:>13.1} {:>9.1} {:>8.0}\n",
                each(cost.processor_us),
                each(cost.wall_us),
                cost.wall_us / 1e3,
            ));
        }
        table
    }
}
