//! The results of one invented person in one year (体と検査値). The person's lots depend on seed and number alone, so that
//! the years fit together.

use jiff::civil::{Date, date};
use mimamori_kernel::date::age_completed;
use mimamori_kernel::fold::to_full_kana;

use super::row::{ITEMS, place};
use super::{Cell, Check};
use crate::draw::Draw;
use crate::names::Sex;
use crate::town::{House, Resident};

/// What stays with the person.
struct Body {
    height: u32,
    bmi_tenths: u32,
    diabetic: bool,
    treated: bool,
    hba1c_tenths: u32,
    /// eGFR in tenths at the first of the three years, and what it loses in a year.
    egfr_tenths: i32,
    loss_tenths: i32,
    protein: u32,
    pressure: u32,
    kidneys_failed: bool,
}

fn between(draw: &Draw, least: u32, most: u32) -> u32 {
    least + draw.below(most - least + 1)
}

/// The sum of three lots: most of them in the middle.
fn middle(draw: &Draw, least: u32, most: u32) -> u32 {
    let third = (most - least) / 3;
    least + draw.below(third + 1) + draw.below(third + 1) + draw.below(third + 1)
}

fn body(draw: &Draw, woman: bool, age: u32) -> Body {
    let diabetic = draw.percent(6 + age / 8);
    let treated = diabetic && draw.percent(72);
    let hba1c_tenths = match (diabetic, treated) {
        (true, true) => middle(draw, 60, 86),
        (true, false) => middle(draw, 62, 78),
        _ => middle(draw, 49, 62),
    };
    let worse = u32::from(diabetic) * 8;
    let healthy = 1_080u32.saturating_sub(age * 5 + worse * 10);
    let spread = middle(draw, 0, 480);
    let egfr_tenths = i32::try_from(healthy + spread).unwrap_or(700) - 260;
    let loss_tenths = i32::try_from(if diabetic {
        middle(draw, 0, 60)
    } else {
        middle(draw, 0, 20)
    })
    .unwrap_or(0);
    let protein = if diabetic {
        draw.weighted(&[70, 12, 11, 5, 2])
    } else {
        draw.weighted(&[90, 6, 3, 1])
    };
    Body {
        height: if woman {
            middle(draw, 1_400, 1_680)
        } else {
            middle(draw, 1_520, 1_820)
        },
        bmi_tenths: middle(draw, 185, 305 + worse * 2),
        diabetic,
        treated,
        hba1c_tenths,
        egfr_tenths: egfr_tenths.max(60),
        loss_tenths,
        protein: u32::try_from(protein).unwrap_or(0) + 1,
        pressure: middle(draw, 104, 166),
        kidneys_failed: draw.below(1000) < 6,
    }
}

fn tenths(n: u32) -> String {
    format!("{}.{}", n / 10, n % 10)
}

/// Creatinine in mg/dL that gives this eGFR: the Japanese equation, solved for it.
fn creatinine(egfr: f64, age: u32, woman: bool) -> String {
    let factor = if woman { 0.739 } else { 1.0 };
    let value = (194.0 * f64::from(age).powf(-0.287) * factor / egfr).powf(1.0 / 1.094);
    format!("{:.2}", value.clamp(0.2, 15.0))
}

/// The check of a person in a fiscal year.
pub(super) fn check(seed: u64, as_of: Date, house: &House, person: &Resident, year: i16) -> Check {
    let lots = seed ^ person.number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let woman = person.sex == Sex::Woman;
    let birth = person.birth.full().unwrap_or(date(1955, 1, 1));
    let own = Draw::new(lots);
    let base = body(
        &own,
        woman,
        u32::try_from(2026 - birth.year()).unwrap_or(60),
    );
    let draw = Draw::new(lots ^ u64::from(year.unsigned_abs()).rotate_left(40));
    // Checks are offered from June to the end of November.
    let last = date(year, 11, 30).min(as_of);
    let day = draw.day(date(year, 6, 1).min(last), last);
    let age = u32::from(age_completed(person.birth, day).least().unwrap_or(60));
    let facility = draw.below(48);
    let home = house.moves.present();
    Check {
        number: person.number,
        kana: to_full_kana(&person.name.kana),
        kanji: person.name.kanji.clone(),
        birth,
        woman,
        postal: home.postal.clone(),
        address: home.address.clone(),
        day,
        facility,
        cells: cells(&draw, &base, woman, age, i32::from(year) - 2024, facility),
    }
}

fn cells(draw: &Draw, body: &Body, woman: bool, age: u32, years: i32, facility: u32) -> Vec<Cell> {
    let mut cells = vec![Cell::NotDone; ITEMS.len()];
    let mut put = |column: &str, text: String| cells[place(column)] = Cell::Text(text);
    let bmi = (body.bmi_tenths + draw.below(9)).saturating_sub(4);
    let weight = f64::from(bmi) / 10.0 * (f64::from(body.height) / 1000.0).powi(2);
    put("身長", tenths(body.height));
    put("体重", format!("{weight:.1}"));
    put("BMI", tenths(bmi));
    put("腹囲", tenths(bmi * 36 / 10 * 10 / 10 + draw.below(80)));
    let systolic = (body.pressure + draw.below(17)).saturating_sub(8);
    let diastolic = systolic * 6 / 10 + draw.below(9);
    put("収縮期血圧1回目", systolic.to_string());
    put("拡張期血圧1回目", diastolic.to_string());
    if systolic >= 135 {
        put("収縮期血圧2回目", (systolic - draw.below(8)).to_string());
        put("拡張期血圧2回目", (diastolic - draw.below(5)).to_string());
    }
    let drawn = [2, 3, 4][draw.weighted(&[86, 11, 3])];
    put("採血時間", drawn.to_string());
    put("空腹時中性脂肪", middle(draw, 45, 260).to_string());
    put("HDL", middle(draw, 35, 95).to_string());
    put("LDL", middle(draw, 65, 190).to_string());
    put("AST", middle(draw, 13, 45).to_string());
    put("ALT", middle(draw, 9, 55).to_string());
    put("γ-GT", middle(draw, 10, 110).to_string());
    let a1c = (body.hba1c_tenths + draw.below(7)).saturating_sub(3);
    let sugar = (a1c * 3).saturating_sub(85) + draw.below(16) + if drawn == 2 { 0 } else { 35 };
    put(
        if drawn == 2 {
            "空腹時血糖"
        } else {
            "随時血糖"
        },
        sugar.to_string(),
    );
    if !draw.percent(3) {
        put(
            ["HbA1c_HPLC", "HbA1c_免疫", "HbA1c_酵素"][(facility % 3) as usize],
            tenths(a1c),
        );
    }
    put(
        "尿糖",
        if body.diabetic {
            between(draw, 1, 4)
        } else {
            1
        }
        .to_string(),
    );
    put("尿蛋白", body.protein.to_string());
    put(
        "血色素量",
        tenths(if woman {
            middle(draw, 112, 148)
        } else {
            middle(draw, 125, 168)
        }),
    );
    put("赤血球数", middle(draw, 380, 540).to_string());
    put("ヘマトクリット", tenths(middle(draw, 350, 490)));
    kidney(draw, body, woman, age, years, facility, &mut put);
    let answer = |yes: bool| if yes { "1" } else { "2" }.to_owned();
    put("服薬血圧", answer(body.pressure > 140));
    if !draw.percent(1) {
        put("服薬血糖", answer(body.treated));
    }
    put("服薬脂質", answer(draw.percent(30)));
    put("既往脳血管", answer(draw.percent(3)));
    put("既往心血管", answer(draw.percent(5)));
    put("既往腎", answer(body.kidneys_failed));
    put("喫煙", [1, 2, 3][draw.weighted(&[14, 3, 83])].to_string());
    put(
        "メタボ判定",
        [1, 2, 3][draw.weighted(&[20, 11, 69])].to_string(),
    );
    put(
        "保健指導レベル",
        [1, 2, 3][draw.weighted(&[3, 8, 89])].to_string(),
    );
    if draw.percent(2) {
        cells[place("尿蛋白")] = Cell::Unmeasurable;
    }
    cells
}

/// Creatinine is an item for some only (詳細な健診): missing for a third of the people.
fn kidney(
    draw: &Draw,
    body: &Body,
    woman: bool,
    age: u32,
    years: i32,
    facility: u32,
    put: &mut impl FnMut(&str, String),
) {
    if draw.percent(33) {
        return;
    }
    let noise = i32::try_from(draw.below(31)).unwrap_or(15) - 15;
    let egfr = (body.egfr_tenths - body.loss_tenths * years + noise).max(50);
    put(
        "クレアチニン",
        creatinine(f64::from(egfr) / 10.0, age, woman),
    );
    // Half of the facilities report eGFR themselves.
    if facility.is_multiple_of(2) {
        put("eGFR", tenths(egfr.unsigned_abs()));
    }
}

impl Check {
    /// Whether nothing tells how the kidneys work.
    pub(super) fn lacks_kidney(&self) -> bool {
        self.cells[place("クレアチニン")] == Cell::NotDone
            && self.cells[place("eGFR")] == Cell::NotDone
    }
}
