//! An officer at work on one person, as a browser would be.

use mimamori_kernel::id::PersonId;
use mimamori_storage::Row;

use crate::house::{Answer, House, encoded};

pub const ALONE: &str = "status = 1 AND protected = 0 AND special_address = 0 AND namesakes = 1 \
    AND 1 = (SELECT COUNT(*) FROM residents_person h WHERE h.generation = residents_person.generation \
    AND h.household_number = residents_person.household_number AND h.status = 1)";
pub const IN_FORCE: &str = "generation = (SELECT generation FROM residents_state WHERE one = 1)";

/// An officer at work on one person.
pub struct Desk<'a> {
    pub house: &'a House,
    pub cookie: String,
    pub person: PersonId,
}

impl<'a> Desk<'a> {
    /// Signs in and gives a reason for today.
    pub async fn open(house: &'a House, login: &str, person: PersonId) -> Desk<'a> {
        let cookie = house.play(login).await;
        let path = format!("/residents/{person}/reason");
        house.post(&path, &cookie, "channel=counter").await;
        Desk {
            house,
            cookie,
            person,
        }
    }
    pub async fn record(&self) -> Answer {
        let path = format!("/residents/{}", self.person);
        self.house.get(&path, &self.cookie).await
    }
    pub async fn form(&self, form: &str) -> Answer {
        let path = format!("/residents/{}/change/{form}", self.person);
        self.house.get(&path, &self.cookie).await
    }
    pub async fn send(&self, form: &str, step: &str, fields: &[(String, String)]) -> Answer {
        let path = format!("/residents/{}/change/{form}", self.person);
        let body = body(step, fields);
        self.house.post(&path, &self.cookie, &body).await
    }
}

pub fn body(step: &str, fields: &[(String, String)]) -> String {
    let mut out = format!("step={step}");
    for (name, value) in fields {
        out.push_str(&format!("&{name}={}", encoded(value)));
    }
    out
}

/// What a browser would send back from a page: its inputs and chosen options, with some typed anew.
pub fn typed(page: &str, anew: &[(&str, &str)]) -> Vec<(String, String)> {
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!("{name}=\""))?;
        let text = rest.split('"').next()?.to_owned();
        Some(text.replace("&#38;", "&").replace("&#39;", "'"))
    };
    let mut out: Vec<(String, String)> = Vec::new();
    for tag in page.split("<input").skip(1) {
        let tag = tag.split('>').next().unwrap();
        if let Some(name) = attribute(tag, "name").filter(|n| n != "csrf") {
            out.push((name, attribute(tag, "value").unwrap_or_default()));
        }
    }
    for select in page.split("<select").skip(1) {
        let select = select.split("</select>").next().unwrap();
        let chosen = select.split("<option").find(|o| o.contains(" selected"));
        let value = chosen.and_then(|o| attribute(o, "value"));
        out.push((
            attribute(select, "name").unwrap(),
            value.unwrap_or_default(),
        ));
    }
    out.retain(|(name, _)| !anew.iter().any(|(n, _)| n == name));
    out.extend(anew.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    out
}

impl House {
    /// One row about a person, for the test's own eyes.
    pub async fn one(&self, sql: &str, person: &PersonId) -> Row {
        let found = self.instance.db.fetch_one(sql, vec![person.bytes().into()]);
        found.await.unwrap().expect(sql)
    }
}
