//! Finding in what two sets of edits differ, without naming what they have in common: range-based set
//! reconciliation over the ids, read as numbers in base 16. The device asks of a range what each of its
//! sixteen parts sums to on its side; the ward says which differ, and names what it has in those that
//! are small. Pure: who holds what, and who may hear of it, is the callers' business.

use std::collections::VecDeque;

use super::agreement::EditSum;
use super::limits::{
    COMPARED_EDITS_MAX, COMPARED_PREFIXES_MAX, COMPARISONS_MAX, LISTED_EDITS_MAX, QUESTIONS_MAX,
};
use crate::codec::{DecodeError, Reader, Writer};
use crate::model::EditId;

/// Parts of a range.
pub const PARTS: usize = 16;

/// Longest prefix, in digits: no two ids of honest authors have half of their digits in common.
const DIGITS_MAX: usize = 32;

/// How many ids of one part the ward names instead of asking for a closer look: naming them costs as
/// much as four questions about a part.
const NAMED_MAX: usize = 16;

/// Eight bytes are enough: what they hide shows in the digest of the whole, which has sixteen.
const FINGERPRINT_BYTES: usize = 8;

/// Longest question: length and digits of the prefix, and the parts.
pub(super) const QUESTION_BYTES_MAX: usize = 1 + DIGITS_MAX / 2 + PARTS * FINGERPRINT_BYTES;

/// Longest answer without what it names: two masks, and a count for each part.
pub(super) const ANSWER_BYTES_MAX: usize = 2 * 3 + PARTS;

/// The ids that begin with these digits of base 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Prefix {
    /// Unused digits are zero, so that prefixes sort as their first ids do.
    digits: [u8; DIGITS_MAX / 2],
    length: u8,
}

impl Prefix {
    fn digit_of(bytes: &[u8], place: usize) -> usize {
        let byte = bytes.get(place / 2).copied().unwrap_or_default();
        usize::from(if place.is_multiple_of(2) {
            byte >> 4
        } else {
            byte & 15
        })
    }

    /// One of its parts; `None` where it is as long as it may be.
    fn part(self, part: usize) -> Option<Self> {
        let place = usize::from(self.length);
        if place == DIGITS_MAX {
            return None;
        }
        let mut longer = self;
        let digit = u8::try_from(part % PARTS).unwrap_or_default();
        longer.digits[place / 2] |= if place.is_multiple_of(2) {
            digit << 4
        } else {
            digit
        };
        longer.length += 1;
        Some(longer)
    }

    /// The first digits of an id, at most 31.
    #[must_use]
    pub fn of(edit: EditId, digits: u8) -> Self {
        let digits = usize::from(digits).min(DIGITS_MAX - 1);
        (0..digits).fold(Self::default(), |prefix, place| {
            let longer = prefix.part(Self::digit_of(&edit.0, place));
            longer.unwrap_or(prefix)
        })
    }

    /// The first and the last id that begin so.
    #[must_use]
    pub fn bounds(self) -> (EditId, EditId) {
        let (mut first, mut last) = ([0; 32], [0xff; 32]);
        first[..DIGITS_MAX / 2].copy_from_slice(&self.digits);
        let length = usize::from(self.length);
        last[..length / 2].copy_from_slice(&self.digits[..length / 2]);
        if !length.is_multiple_of(2) {
            last[length / 2] = self.digits[length / 2] | 0x0f;
        }
        (EditId(first), EditId(last))
    }

    /// In which of its parts an id is that begins so.
    fn part_of(self, edit: EditId) -> usize {
        Self::digit_of(&edit.0, usize::from(self.length))
    }

    fn write(self, writer: &mut Writer) {
        writer.byte(self.length);
        writer.fixed(&self.digits[..usize::from(self.length).div_ceil(2)]);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.byte()?;
        if usize::from(length) >= DIGITS_MAX {
            return Err(DecodeError::InvalidValue);
        }
        let mut digits = [0; DIGITS_MAX / 2];
        for digit in &mut digits[..usize::from(length).div_ceil(2)] {
            *digit = reader.byte()?;
        }
        if !length.is_multiple_of(2) && digits[usize::from(length) / 2] & 15 != 0 {
            return Err(DecodeError::InvalidValue);
        }
        Ok(Self { digits, length })
    }
}

/// What a set of ids sums to, short.
pub type Fingerprint = [u8; FINGERPRINT_BYTES];

fn fingerprint(sum: EditSum) -> Fingerprint {
    let mut short = [0; FINGERPRINT_BYTES];
    if sum != EditSum::default() {
        short.copy_from_slice(&sum.digest().0[..FINGERPRINT_BYTES]);
    }
    short
}

/// What the device has in each part of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Of the range.
    pub prefix: Prefix,
    /// Of the parts; zero for nothing.
    pub parts: [Fingerprint; PARTS],
}

/// What the ward says of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartAnswer {
    /// It has the same.
    Same,
    /// It has something else, and too much to name it.
    Deeper,
    /// It has exactly these, ascending.
    Named(Vec<EditId>),
}

/// The ward's answer to a [`Question`].
pub type Answer = [PartAnswer; PARTS];

/// Answers a question by what the ward has in its range, ascending. `room` is how many ids may still be named.
pub fn answer(
    question: &Question,
    edits: impl IntoIterator<Item = EditId>,
    room: &mut usize,
) -> Answer {
    let mut sums = [EditSum::default(); PARTS];
    let mut named: [Vec<EditId>; PARTS] = Default::default();
    for edit in edits {
        let part = question.prefix.part_of(edit);
        sums[part].add(edit);
        if named[part].len() <= NAMED_MAX {
            named[part].push(edit);
        }
    }
    let mut parts = sums.iter().zip(&question.parts).zip(named);
    std::array::from_fn(|_| match parts.next() {
        Some(((sum, asked), _)) if fingerprint(*sum) == *asked => PartAnswer::Same,
        Some((_, named)) if named.len() <= NAMED_MAX && named.len() <= *room => {
            *room -= named.len();
            PartAnswer::Named(named)
        }
        _ => PartAnswer::Deeper,
    })
}

/// In what two sets differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// The ward has them and the device has not.
    pub lacked_here: Vec<EditId>,
    /// The device has them and the ward has not.
    pub lacked_there: Vec<EditId>,
}

/// The device's side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Ascending.
    edits: Vec<EditId>,
    /// Ranges that differ, not asked yet.
    open: VecDeque<Prefix>,
    /// Asked and not answered, in order.
    asked: Vec<Prefix>,
    found: Difference,
    exchanges: usize,
}

impl Comparison {
    /// Of what the device has.
    #[must_use]
    pub fn new(mut edits: Vec<EditId>) -> Self {
        edits.sort_unstable();
        edits.dedup();
        Self {
            edits,
            open: VecDeque::from([Prefix::default()]),
            asked: Vec::new(),
            found: Difference::default(),
            exchanges: 0,
        }
    }

    /// What to ask next; nothing if everything is known, or enough for one conversation.
    pub fn ask(&mut self) -> Vec<Question> {
        if self.exchanges == COMPARISONS_MAX {
            return Vec::new();
        }
        self.exchanges += 1;
        let count = self.open.len().min(QUESTIONS_MAX);
        self.asked = self.open.drain(..count).collect();
        self.asked.sort_unstable();
        self.asked
            .iter()
            .map(|&prefix| {
                let mut sums = [EditSum::default(); PARTS];
                for &edit in self.within(prefix) {
                    sums[prefix.part_of(edit)].add(edit);
                }
                Question {
                    prefix,
                    parts: sums.map(fingerprint),
                }
            })
            .collect()
    }

    /// Takes the answers to what was asked last. `false`: they are none to it, and the ward is wrong;
    /// nothing that was found is of use then.
    pub fn hear(&mut self, answers: Vec<Answer>) -> bool {
        if answers.len() != self.asked.len() {
            return false;
        }
        let asked = std::mem::take(&mut self.asked);
        for (prefix, answer) in asked.into_iter().zip(answers) {
            for (part, answer) in answer.into_iter().enumerate() {
                let Some(part) = prefix.part(part) else {
                    return false;
                };
                let is_right = match answer {
                    PartAnswer::Same => true,
                    PartAnswer::Deeper => self.go_deeper(part),
                    PartAnswer::Named(named) => self.take(part, &named),
                };
                if !is_right {
                    return false;
                }
            }
        }
        true
    }

    /// What was found. What could not be compared in one conversation is taken for lacking there: to give
    /// something back that is there costs a few bytes, not to give it back may lose it.
    #[must_use]
    pub fn finish(mut self) -> Difference {
        for prefix in std::mem::take(&mut self.open)
            .into_iter()
            .chain(std::mem::take(&mut self.asked))
        {
            let own = self.within(prefix).to_vec();
            self.found.lacked_there.extend(own);
        }
        self.found
    }

    fn within(&self, prefix: Prefix) -> &[EditId] {
        let (first, last) = prefix.bounds();
        let from = self.edits.partition_point(|edit| *edit < first);
        let to = self.edits.partition_point(|edit| *edit <= last);
        &self.edits[from..to]
    }

    fn go_deeper(&mut self, part: Prefix) -> bool {
        if usize::from(part.length) == DIGITS_MAX {
            return false;
        }
        if self.open.len() < COMPARED_PREFIXES_MAX {
            self.open.push_back(part);
        } else {
            let own = self.within(part).to_vec();
            self.found.lacked_there.extend(own);
        }
        true
    }

    fn take(&mut self, part: Prefix, named: &[EditId]) -> bool {
        let (first, last) = part.bounds();
        let is_of_part = named.iter().all(|edit| (first..=last).contains(edit));
        if !is_of_part || !named.is_sorted_by(|one, next| one < next) {
            return false;
        }
        let own = self.within(part);
        let lacked = |edits: &[EditId], among: &[EditId]| -> Vec<EditId> {
            let lacked = edits
                .iter()
                .filter(|edit| among.binary_search(edit).is_err());
            lacked.copied().collect()
        };
        let (here, there) = (lacked(named, own), lacked(own, named));
        let room = COMPARED_EDITS_MAX.saturating_sub(self.found.lacked_here.len());
        self.found.lacked_here.extend(here.into_iter().take(room));
        self.found.lacked_there.extend(there);
        true
    }
}

/// Writes questions.
pub(super) fn write_questions(writer: &mut Writer, questions: &[Question]) {
    writer.count(questions.len());
    for question in questions {
        question.prefix.write(writer);
        for part in &question.parts {
            writer.fixed(part);
        }
    }
}

/// Reads questions: ascending, and no range within another, so that all together ask for no more than
/// one look at everything.
pub(super) fn read_questions(reader: &mut Reader<'_>) -> Result<Vec<Question>, DecodeError> {
    let count = reader.count(QUESTIONS_MAX)?;
    let mut questions: Vec<Question> = Vec::with_capacity(count);
    for _ in 0..count {
        let prefix = Prefix::read(reader)?;
        if let Some(before) = questions.last()
            && before.prefix.bounds().1 >= prefix.bounds().0
        {
            return Err(DecodeError::InvalidValue);
        }
        let mut parts = [Fingerprint::default(); PARTS];
        for part in &mut parts {
            *part = reader.fixed()?;
        }
        questions.push(Question { prefix, parts });
    }
    Ok(questions)
}

/// Writes answers.
pub(super) fn write_answers(writer: &mut Writer, answers: &[Answer]) {
    writer.count(answers.len());
    for answer in answers {
        let mask = |is_in: fn(&PartAnswer) -> bool| {
            let places = answer.iter().enumerate().filter(|(_, part)| is_in(part));
            places.fold(0_u64, |mask, (place, _)| mask | 1 << place)
        };
        writer
            .unsigned(mask(|part| matches!(part, PartAnswer::Deeper)))
            .unsigned(mask(|part| matches!(part, PartAnswer::Named(_))));
        for part in answer {
            if let PartAnswer::Named(named) = part {
                writer.count(named.len());
                for edit in named {
                    writer.fixed(edit.as_bytes());
                }
            }
        }
    }
}

/// Reads answers, with the bound of ids that may be named in all.
pub(super) fn read_answers(reader: &mut Reader<'_>) -> Result<Vec<Answer>, DecodeError> {
    let count = reader.count(QUESTIONS_MAX)?;
    let mut room = LISTED_EDITS_MAX;
    let mut answers = Vec::with_capacity(count);
    for _ in 0..count {
        let (deeper, named) = (reader.unsigned()?, reader.unsigned()?);
        if deeper & named != 0 || (deeper | named) >> PARTS != 0 {
            return Err(DecodeError::InvalidValue);
        }
        let mut answer: Answer = std::array::from_fn(|_| PartAnswer::Same);
        for (place, part) in answer.iter_mut().enumerate() {
            if deeper >> place & 1 == 1 {
                *part = PartAnswer::Deeper;
            } else if named >> place & 1 == 1 {
                let count = reader.count(NAMED_MAX.min(room))?;
                room -= count;
                let edits = (0..count).map(|_| reader.fixed().map(EditId));
                *part = PartAnswer::Named(edits.collect::<Result<_, _>>()?);
            }
        }
        answers.push(answer);
    }
    Ok(answers)
}

#[cfg(test)]
mod tests;
