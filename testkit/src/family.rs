//! Who lives together (世帯の構成): sizes, ages, relations.

use crate::draw::Draw;
use crate::names::Sex;

/// One person before name and number.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub sex: Sex,
    /// Age by law on the day of the file, completed years.
    pub age: u32,
    pub relation: &'static str,
    pub insured: bool,
}

/// How many insured and other members are still to be placed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    pub insured: u32,
    pub members: u32,
}

impl Left {
    pub fn total(self) -> u32 {
        self.insured + self.members
    }

    /// Takes the next household out: number of insured, number of other members.
    pub fn take(&mut self, draw: &Draw) -> (u32, u32) {
        let size = u32::try_from(draw.weighted(&[40, 38, 15, 7])).unwrap_or(0) + 1;
        let size = size.min(self.total());
        // More insured left than their share: fill this household with them.
        let behind = u64::from(self.insured) * 18 > u64::from(self.members) * 75;
        let many = if draw.percent(85) { behind } else { !behind };
        let wanted = match (size, many) {
            (1, _) | (2 | 3, false) => 1,
            (4, true) => 3,
            _ => 2,
        };
        let least = size.saturating_sub(self.members);
        let insured = wanted.max(least).min(self.insured);
        self.insured -= insured;
        self.members -= size - insured;
        (insured, size - insured)
    }
}

/// An age of an insured person: 65 and over, in the shape of a town of the 2020s.
fn old_age(draw: &Draw) -> u32 {
    let class = draw.weighted(&[200, 220, 225, 160, 110, 60, 21, 4]);
    65 + u32::try_from(class).unwrap_or(0) * 5 + draw.below(5)
}

fn parent(draw: &Draw, head: u32) -> Draft {
    let woman = draw.percent(75);
    Draft {
        sex: if woman { Sex::Woman } else { Sex::Man },
        age: (head + 20 + draw.below(10)).min(107),
        relation: if woman { "母" } else { "父" },
        insured: true,
    }
}

fn spouse(draw: &Draw, of: &Draft, least: u32, most: u32) -> Draft {
    let age = if of.sex == Sex::Man {
        of.age + draw.below(8)
    } else {
        of.age + 3 + draw.below(8)
    };
    Draft {
        sex: of.sex.other(),
        age: age.saturating_sub(5).clamp(least, most),
        relation: if of.sex == Sex::Man { "妻" } else { "夫" },
        insured: least >= 65,
    }
}

fn sibling(draw: &Draw, head: u32) -> Draft {
    let age = (head + draw.below(13)).saturating_sub(6).clamp(65, 107);
    let (sex, relation) = match (draw.percent(45), age > head) {
        (true, true) => (Sex::Man, "兄"),
        (true, false) => (Sex::Man, "弟"),
        (false, true) => (Sex::Woman, "姉"),
        (false, false) => (Sex::Woman, "妹"),
    };
    Draft {
        sex,
        age,
        relation,
        insured: true,
    }
}

fn coin(draw: &Draw) -> Sex {
    if draw.percent(50) {
        Sex::Man
    } else {
        Sex::Woman
    }
}

/// A household with this many insured and other members; the head comes first.
pub(crate) fn family(draw: &Draw, insured: u32, members: u32) -> Vec<Draft> {
    let men = if insured + members == 1 { 36 } else { 74 };
    let head = Draft {
        sex: if draw.percent(men) {
            Sex::Man
        } else {
            Sex::Woman
        },
        age: if insured > 0 {
            old_age(draw)
        } else {
            30 + draw.below(35)
        },
        relation: "世帯主",
        insured: insured > 0,
    };
    let mut out = vec![head.clone()];
    for place in 1..insured {
        let young_enough = head.age <= 80;
        let next = if place == 1 && !(young_enough && draw.percent(10)) {
            spouse(draw, &head, 65, 107)
        } else if place <= 2
            && young_enough
            && !out.iter().any(|d| matches!(d.relation, "父" | "母"))
        {
            parent(draw, head.age)
        } else {
            sibling(draw, head.age)
        };
        out.push(next);
    }
    let others = if insured == 0 {
        members.saturating_sub(1)
    } else {
        members
    };
    for _ in 0..others {
        let next = younger(draw, &out);
        out.push(next);
    }
    let heir = out.iter().position(|d| d.relation == "子" && d.age >= 30);
    if let Some(heir) = heir.filter(|_| insured > 0 && draw.percent(25)) {
        hand_over(&mut out, heir);
    }
    out
}

/// The next household member under 65.
fn younger(draw: &Draw, so_far: &[Draft]) -> Draft {
    let head = &so_far[0];
    let has = |relation: &str| so_far.iter().any(|d| d.relation == relation);
    let single = !has("妻") && !has("夫");
    if single && !has("子") && head.sex == Sex::Man && head.age <= 74 && draw.percent(45) {
        let most = head.age.min(64);
        return spouse(
            draw,
            head,
            most.min(55)
                .saturating_sub(if head.age < 55 { 6 } else { 0 }),
            most,
        );
    }
    let member = |sex, age: u32, relation| Draft {
        sex,
        age,
        relation,
        insured: false,
    };
    match so_far.iter().find(|d| d.relation == "子") {
        Some(child) if child.age >= 28 && !has("子の妻") && !has("子の夫") && draw.percent(50) =>
        {
            let relation = if child.sex == Sex::Man {
                "子の妻"
            } else {
                "子の夫"
            };
            let age = (child.age + draw.below(7)).saturating_sub(4).clamp(20, 64);
            member(child.sex.other(), age, relation)
        }
        Some(child) if child.age >= 24 && draw.percent(75) => member(
            coin(draw),
            child.age.saturating_sub(24 + draw.below(10)),
            "孫",
        ),
        _ => {
            let gap = 24 + draw.below(12);
            member(coin(draw), head.age.saturating_sub(gap).min(64), "子")
        }
    }
}

/// The child becomes the head, and everyone's relation is told from the child.
fn hand_over(family: &mut [Draft], heir: usize) {
    for (place, person) in family.iter_mut().enumerate() {
        person.relation = match (person.relation, person.sex) {
            _ if place == heir => "世帯主",
            ("世帯主" | "夫" | "妻", Sex::Man) => "父",
            ("世帯主" | "夫" | "妻", Sex::Woman) => "母",
            ("父", _) => "祖父",
            ("母", _) => "祖母",
            ("子", Sex::Man) => "兄弟",
            ("子", Sex::Woman) => "姉妹",
            ("子の妻", _) => "妻",
            ("子の夫", _) => "夫",
            ("孫", _) => "子",
            _ => "縁故者",
        };
    }
    family.swap(0, heir);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn households_use_up_exactly_the_insured_and_members_there_are() {
        for people in 1..400 {
            let draw = Draw::new(people.into());
            let insured = people * 75 / 93;
            let mut left = Left {
                insured,
                members: people - insured,
            };
            let (mut k, mut m) = (0, 0);
            while left.total() > 0 {
                let (insured, members) = left.take(&draw);
                let family = family(&draw, insured, members);
                assert_eq!(family.len(), (insured + members) as usize);
                assert_eq!(
                    family.iter().filter(|d| d.insured).count(),
                    insured as usize
                );
                assert_eq!(family[0].relation, "世帯主");
                assert_eq!(family.iter().filter(|d| d.relation == "世帯主").count(), 1);
                for person in &family {
                    assert_eq!(person.insured, person.age >= 65, "{person:?}");
                    assert!(person.age <= 107);
                }
                k += insured;
                m += members;
            }
            assert_eq!((k, k + m), (insured, people));
        }
    }
}
