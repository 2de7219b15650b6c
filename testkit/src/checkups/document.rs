//! Checks as CDA documents in an archive with index and summary.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use jiff::civil::Date;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::row::{ITEMS, compact};
use super::{Cell, Check};
use crate::TownError;

/// The insurer of the sample town: a number that no insurer has.
const INSURER: &str = "00990001";

/// The document of a check.
pub(super) fn document(check: &Check) -> String {
    let mut out = String::with_capacity(8 << 10);
    let day = compact(check.day);
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        r#"<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" classCode="DOCCLIN" moodCode="EVN">
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<id nullFlavor="NI"/>
<code code="10" codeSystem="1.2.392.200119.6.1001"/>
<effectiveTime value="{day}"/>
<confidentialityCode code="N"/>
<recordTarget><patientRole><id root="1.2.392.200119.6.101" extension="{INSURER}"/><id root="1.2.392.200119.6.204" extension="見守"/><id root="1.2.392.200119.6.205" extension="{number}"/><addr>{address}<postalCode>{postal}</postalCode></addr><patient><name>{kana}</name><administrativeGenderCode code="{sex}" codeSystem="1.2.392.200119.6.1104"/><birthTime value="{birth}"/></patient></patientRole></recordTarget>
<author><time value="{day}"/><assignedAuthor><id nullFlavor="NI"/><representedOrganization><id root="1.2.392.200119.6.102" extension="{facility}"/><name>見本診療所</name></representedOrganization></assignedAuthor></author>
<participant typeCode="HLD"><functionCode code="1" codeSystem="1.2.392.200119.6.208"/><associatedEntity classCode="IDENT"><id root="1.2.392.200119.6.209.1{INSURER}" extension="{ticket}"/></associatedEntity></participant>
<documentationOf><serviceEvent classCode="ACT" moodCode="EVN"><code code="010" codeSystem="1.2.392.200119.6.1002"/><effectiveTime value="{day}"/><performer typeCode="PRF"><assignedEntity><id nullFlavor="NI"/><representedOrganization><id root="1.2.392.200119.6.102" extension="{facility}"/></representedOrganization></assignedEntity></performer></serviceEvent></documentationOf>
<component><structuredBody><component><section><code code="01010" codeSystem="1.2.392.200119.6.1010" displayName="検査・問診結果セクション"/><title>検査・問診結果セクション</title><text/>
"#,
        number = check.number,
        address = check.address,
        postal = check.postal,
        kana = check.kana,
        sex = if check.woman { 2 } else { 1 },
        birth = compact(check.birth),
        facility = check.facility(),
        ticket = check.ticket(),
    );
    for (item, cell) in ITEMS.iter().zip(&check.cells) {
        entry(
            &mut out,
            item.code,
            item.unit,
            cell,
            check.facility.is_multiple_of(2),
        );
    }
    out.push_str("</section></component></structuredBody></component>\n</ClinicalDocument>\n");
    out
}

/// One result; some facilities leave out what was not done, others say so.
fn entry(out: &mut String, code: &str, unit: &str, cell: &Cell, tells: bool) {
    let kind = if unit.is_empty() { "CD" } else { "PQ" };
    let (negation, value) = match cell {
        // The old scale has no place in a document of these years, not even as not done.
        Cell::NotDone if !tells || code.starts_with("3D045") => return,
        Cell::NotDone => (" negationInd=\"true\"", String::new()),
        Cell::Unmeasurable => ("", format!(r#"<value xsi:type="{kind}" nullFlavor="NI"/>"#)),
        Cell::Text(text) if unit.is_empty() => {
            ("", format!(r#"<value xsi:type="CD" code="{text}"/>"#))
        }
        Cell::Text(text) => (
            "",
            format!(r#"<value xsi:type="PQ" value="{text}" unit="{unit}"/>"#),
        ),
    };
    let _ = writeln!(
        out,
        r#"<entry><observation classCode="OBS" moodCode="EVN"{negation}><code code="{code}"/>{value}</observation></entry>"#
    );
}

/// The archive on its way.
pub(super) struct Archive {
    zip: ZipWriter<BufWriter<File>>,
    day: Date,
    documents: u32,
}

const ROOT: &str = "00990001_99900002_202611211_1";

impl Archive {
    pub fn create(path: &Path, day: Date) -> Result<Self, TownError> {
        let zip = ZipWriter::new(BufWriter::with_capacity(1 << 18, File::create(path)?));
        Ok(Self {
            zip,
            day,
            documents: 0,
        })
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), TownError> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let time = zip::DateTime::from_date_and_time(self.day.year().unsigned_abs(), 1, 1, 0, 0, 0);
        let options = options.last_modified_time(time.unwrap_or_default());
        self.zip
            .start_file(format!("{ROOT}/{name}"), options)
            .map_err(std::io::Error::other)?;
        self.zip.write_all(bytes)?;
        Ok(())
    }

    /// Adds a document; gives its name without the folder.
    pub fn write(&mut self, bytes: &[u8]) -> Result<String, TownError> {
        self.documents += 1;
        let name = format!("h{:026}.xml", self.documents);
        self.file(&format!("DATA/{name}"), bytes)?;
        Ok(name)
    }

    pub fn finish(mut self) -> Result<u32, TownError> {
        let n = self.documents;
        let day = compact(self.day);
        let head = |root: &str, body: &str| {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"http://tokuteikenshin.jp/checkup/2007\">{body}</{root}>\n"
            )
        };
        let index = format!(
            r#"<interactionType code="6"/><creationTime value="{day}"/><totalRecordCount value="{n}"/>"#
        );
        self.file("ix08_V08.xml", head("index", &index).as_bytes())?;
        let summary = format!(r#"<serviceEventType code="1"/><totalSubjectCount value="{n}"/>"#);
        self.file("su08_V08.xml", head("summary", &summary).as_bytes())?;
        self.file(
            "CLAIMS/c00000000000000000000000001.xml",
            b"<checkupClaim xmlns=\"http://tokuteikenshin.jp/checkup/2007\"/>\n",
        )?;
        self.zip.finish().map_err(std::io::Error::other)?.flush()?;
        Ok(n)
    }
}
