//! Cases that nobody reported, as people report: no two are alike, and they are alike as reports are.

use gandan_core::model::Timestamp;

use super::workload::{Citizen, InputCase, Place};
use crate::simulation::world::Dice;

/// 2 March 2026, 08:00 in Việt Nam.
const BEGIN_MS: i64 = 1_772_413_200_000;

const FAMILIES: &[&str] = &[
    "Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Võ", "Phan", "Trương", "Bùi", "Đặng", "Đỗ", "Ngô",
    "Dương", "Lý", "Đinh", "Mai", "Cao", "Lâm", "Châu", "Tạ",
];
const MIDDLES: &[&str] = &[
    "Văn", "Thị", "Minh", "Ngọc", "Thanh", "Quốc", "Hoàng", "Kim", "Đức", "Hữu", "Bích", "Xuân",
    "Thu", "Gia", "Hồng", "Tấn",
];
const NAMES: &[&str] = &[
    "Hùng",
    "Lan",
    "Tuấn",
    "Thủy",
    "Bảo",
    "Phượng",
    "Dung",
    "Hải",
    "Khoa",
    "Loan",
    "Mỹ",
    "Nhung",
    "Phát",
    "Quyên",
    "Sáu",
    "Tâm",
    "Út",
    "Vân",
    "Yến",
    "Đông",
    "Liên",
    "Chín",
    "Hiền",
    "Trinh",
    "Thành",
    "Nghĩa",
    "Sương",
    "Tài",
];
const STREETS: &[&str] = &[
    "Lạc Long Quân",
    "Âu Cơ",
    "Lý Thường Kiệt",
    "Ni Sư Huỳnh Liên",
    "Trường Chinh",
    "Hoàng Hoa Thám",
    "Bành Văn Trân",
    "Phạm Văn Hai",
    "Cộng Hòa",
    "Nguyễn Thái Bình",
    "Xuân Hồng",
    "Hồng Lạc",
    "Tân Kỳ Tân Quý",
    "Đồng Đen",
    "Thoại Ngọc Hầu",
    "Lũy Bán Bích",
];
const KINDS: &[&str] = &["report", "report", "petition", "complaint"];
const CATEGORIES: &[&str] = &[
    "drainage", "lighting", "order", "noise", "waste", "road", "water", "tree", "animal", "permit",
];
const URGENCIES: &[&str] = &["low", "normal", "normal", "high", "urgent"];

/// `count` cases; more of the same seed begin with the same.
pub(super) fn cases(count: usize, seed: u64) -> Vec<InputCase> {
    let mut inventor = Inventor(Dice::new(seed, 0));
    (0..count).map(|index| inventor.case(index)).collect()
}

struct Inventor(Dice);

impl Inventor {
    fn case(&mut self, index: usize) -> InputCase {
        let after_ms = i64::try_from(index).expect("a list has fewer") * 13_000;
        let at = BEGIN_MS + after_ms + self.number(0, 12_999) as i64;
        InputCase {
            id: format!("c{index:06}"),
            visit: format!("v{}-{:05}", self.number(1_000, 9_999), index / 4),
            area: format!("P{}-T{}", self.number(1, 14), self.number(1, 60)),
            kind: self.pick(KINDS),
            category: self.pick(CATEGORIES),
            urgency: self.pick(URGENCIES),
            status: "new".to_owned(),
            recorded_at: Timestamp(at).to_rfc3339(),
            text: self.report(),
            citizen: Citizen {
                name: self.person(),
                phone: format!("09{:08}", self.number(10_000_000, 99_999_999)),
                address: format!(
                    "{}/{} {}",
                    self.number(1, 400),
                    self.number(1, 60),
                    self.pick(STREETS)
                ),
            },
            location: Place {
                lat: self.number(10_700_000, 10_899_999) as f64 / 1e6,
                lon: self.number(106_600_000, 106_799_999) as f64 / 1e6,
            },
            attachments: serde_json::Map::new(),
            notes: Vec::new(),
            assignee: None,
        }
    }

    /// Three to six sentences, some with what only this citizen could say.
    fn report(&mut self) -> String {
        let sentences = self.number(3, 6);
        let said: Vec<String> = (0..sentences).map(|_| self.sentence()).collect();
        said.join(" ")
    }

    fn sentence(&mut self) -> String {
        match self.number(0, 15) {
            0 => format!(
                "Cống trước nhà số {} bị nghẹt {} ngày nay, mưa xuống là nước vào nhà {} phân.",
                self.number(1, 480),
                self.number(2, 40),
                self.number(3, 55)
            ),
            1 => format!(
                "Trụ đèn số {} không sáng, đã báo điện lực hôm {}/{} mà chưa thấy ai xuống.",
                self.number(10, 9_900),
                self.number(1, 28),
                self.number(1, 12)
            ),
            2 => format!(
                "Quán nhậu ở {} {} mở nhạc tới {} giờ khuya, trẻ nhỏ không ngủ được.",
                self.number(1, 700),
                self.pick(STREETS),
                self.number(22, 24)
            ),
            3 => format!(
                "Xe rác không vào hẻm {} từ thứ {}, rác dồn thành đống bốc mùi rất nặng.",
                self.number(1, 320),
                self.number(2, 7)
            ),
            4 => format!("Bà {} ở kế bên cũng nói y như vậy.", self.person()),
            5 => format!(
                "Dây cáp chùng xuống chừng {} mét, xe cao đi ngang là vướng.",
                self.number(1, 4)
            ),
            6 => format!(
                "Hố ga mất nắp gần số {}, hôm qua cháu {} tuổi suýt lọt chân.",
                self.number(1, 900),
                self.number(4, 12)
            ),
            7 => format!(
                "Xin phường xem lại giấy phép {}/GPXD của nhà đang xây sát vách.",
                self.number(100, 9_800)
            ),
            8 => format!(
                "Tiền nước kỳ {} lên {} khối trong khi nhà chỉ có {} người.",
                self.number(1, 12),
                self.number(30, 160),
                self.number(1, 6)
            ),
            9 => format!(
                "Ông {} hứa sửa từ tháng {} nhưng tới giờ vẫn vậy.",
                self.person(),
                self.number(1, 12)
            ),
            10 => format!(
                "Cần thì gọi con gái tôi là {}, số 08{}.",
                self.person(),
                self.number(10_000_000, 99_999_999)
            ),
            11 => format!(
                "Chó thả rông chừng {} con, chiều nào cũng rượt người đi bộ trên {}.",
                self.number(2, 9),
                self.pick(STREETS)
            ),
            12 => format!(
                "Nhánh cây trước số {} gãy treo lơ lửng sau trận gió hôm {}/{}.",
                self.number(1, 650),
                self.number(1, 28),
                self.number(4, 11)
            ),
            13 => format!(
                "Hồ sơ cũ số {} đã nộp {} tháng, mong được trả lời bằng văn bản.",
                self.number(10_000, 999_999),
                self.number(1, 18)
            ),
            14 => format!(
                "Tổ đã họp, có {} hộ ký tên đồng ý góp {} trăm ngàn mỗi hộ.",
                self.number(5, 60),
                self.number(1, 9)
            ),
            _ => "Mong cán bộ xuống tận nơi xem giúp cho bà con yên tâm.".to_owned(),
        }
    }

    fn person(&mut self) -> String {
        format!(
            "{} {} {}",
            self.pick(FAMILIES),
            self.pick(MIDDLES),
            self.pick(NAMES)
        )
    }

    fn pick(&mut self, from: &[&str]) -> String {
        (*self.0.pick(from)).to_owned()
    }

    fn number(&mut self, from: usize, to: usize) -> usize {
        from + self.0.below(to - from + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_invents_the_same_and_more_begin_with_the_same() {
        assert_eq!(cases(50, 7)[..20], cases(20, 7)[..]);
        assert_ne!(cases(20, 7), cases(20, 8));
    }

    #[test]
    fn what_is_invented_can_be_recorded() {
        for case in cases(200, 1) {
            case.to_form().expect("a form of a ward");
        }
    }
}
