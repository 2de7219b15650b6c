//! What goes wrong in such files, planted in one check of forty, and told.

use mimamori_kernel::fold::to_half_kana;

use super::document::{Archive, document};
use super::row::{ITEMS, Rows, fields, place};
use super::{ARCHIVE, Cell, Check, PlantedCheckup, ROWS};
use crate::TownError;
use crate::draw::{Draw, days_later};
use crate::files::cp932;

/// Column of the name and of the birth date in a row.
const KANA: usize = 1;
const BIRTH: usize = 3;
const SEX: usize = 4;

pub(super) struct Files {
    pub rows: Rows,
    pub archive: Archive,
    pub planted: Vec<PlantedCheckup>,
}

impl Files {
    fn plant(&mut self, file: &'static str, place: &str, item: &str, code: &'static str) {
        self.planted.push(PlantedCheckup {
            file,
            place: place.to_owned(),
            item: item.to_owned(),
            code,
        });
    }

    /// The next row; one in forty with something wrong.
    pub fn row(&mut self, draw: &Draw, mut check: Check) -> Result<(), TownError> {
        if draw.below(40) > 0 {
            self.write(&fields(&check), None, false)?;
            return Ok(());
        }
        match draw.below(11) {
            0 => {
                // The same row twice.
                self.write(&fields(&check), None, false)?;
                let line = self.write(&fields(&check), None, false)?;
                self.plant(ROWS, &line, "行", "CHECKUP-SAME-AGAIN");
            }
            1 => {
                let first = self.write(&fields(&check), None, false)?;
                check.cells[place("体重")] = Cell::Text("49.9".into());
                let second = self.write(&fields(&check), None, false)?;
                for line in [first, second] {
                    self.plant(ROWS, &line, "行", "CHECKUP-REPEATED");
                }
            }
            2 => self.value(&mut check, "HDL", "5500", "CHECKUP-RANGE")?,
            3 => self.value(&mut check, "体重", "6O.2", "CHECKUP-NUMBER")?,
            4 => self.value(&mut check, "HbA1c_JDS", "6.6", "CHECKUP-JDS")?,
            5 => self.value(&mut check, "尿糖", "9", "CHECKUP-CHOICE")?,
            6 => {
                let mut cells = fields(&check);
                cells[KANA] = to_half_kana(&cells[KANA]);
                let line = self.write(&cells, None, false)?;
                self.plant(ROWS, &line, "氏名カナ", "CHECKUP-HALF-WIDTH");
            }
            7 => {
                let mut cells = fields(&check);
                cells[BIRTH] = format!("{}0230", &cells[BIRTH][..4]);
                let line = self.write(&cells, None, false)?;
                self.plant(ROWS, &line, "生年月日", "CHECKUP-DATE");
            }
            8 => {
                // A character of the private area (F0 40), as old systems write 外字.
                let raw = [cp932(&check.kana)?, vec![0xf0, 0x40]].concat();
                let line = self.write(&fields(&check), Some((KANA, raw)), false)?;
                self.plant(ROWS, &line, "氏名カナ", "CHECKUP-GAIJI");
            }
            9 => {
                let mut cells = fields(&check);
                cells[SEX] = "9".into();
                let line = self.write(&cells, None, false)?;
                self.plant(ROWS, &line, "男女区分", "CHECKUP-SEX");
            }
            _ => {
                let line = self.write(&fields(&check), None, true)?;
                self.plant(ROWS, &line, "行", "CHECKUP-QUOTE");
            }
        }
        Ok(())
    }

    fn value(
        &mut self,
        check: &mut Check,
        column: &str,
        text: &str,
        code: &'static str,
    ) -> Result<(), TownError> {
        check.cells[place(column)] = Cell::Text(text.into());
        let line = self.write(&fields(check), None, false)?;
        self.plant(ROWS, &line, column, code);
        Ok(())
    }

    fn write(
        &mut self,
        fields: &[String],
        raw: Option<(usize, Vec<u8>)>,
        open: bool,
    ) -> Result<String, TownError> {
        let mut bytes = fields
            .iter()
            .map(|f| cp932(f))
            .collect::<Result<Vec<_>, _>>()?;
        if let Some((at, raw)) = raw {
            bytes[at] = raw;
        }
        Ok(format!("{}行目", self.rows.write(&bytes, open)?))
    }

    /// The next document; one in forty with something wrong.
    pub fn document(&mut self, draw: &Draw, mut check: Check) -> Result<(), TownError> {
        let text = document(&check);
        if draw.below(40) > 0 {
            self.archive.write(text.as_bytes())?;
            return Ok(());
        }
        let code = |column: &str| ITEMS[place(column)].code;
        let (text, item, fault) = match draw.below(8) {
            0 => {
                let from = format!("code=\"{}\"", code("γ-GT"));
                (
                    text.replace(&from, "code=\"3B999000002327101\""),
                    "3B999000002327101",
                    "CHECKUP-CODE",
                )
            }
            1 => {
                check.cells[place("ALT")] = Cell::Text("3000".into());
                (document(&check), "ALT（GPT）", "CHECKUP-RANGE")
            }
            2 => {
                check.cells[place("HbA1c_JDS")] = Cell::Text("6.6".into());
                (document(&check), "HbA1c（JDS）", "CHECKUP-JDS")
            }
            3 => (
                text.replace("unit=\"kg\"", "unit=\"g\""),
                "体重",
                "CHECKUP-UNIT",
            ),
            4 => (
                text.replace("code=\"10\"", "code=\"21\""),
                "文書",
                "CHECKUP-DOCUMENT",
            ),
            5 => (text[..text.len() - 30].to_owned(), "文書", "CHECKUP-XML"),
            6 => {
                check.kana = to_half_kana(&check.kana);
                (document(&check), "氏名カナ", "CHECKUP-HALF-WIDTH")
            }
            _ => {
                // A day later than the person was born: the file is whole, but no resident fits.
                check.birth = days_later(check.birth, 1);
                (document(&check), "生年月日", "CHECKUP-NOBODY")
            }
        };
        let name = self.archive.write(text.as_bytes())?;
        self.plant(ARCHIVE, &name, item, fault);
        Ok(())
    }
}
