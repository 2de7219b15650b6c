//! What changed against the version in force before: printed bold and underlined (S0-74, S1-32).

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Words.
    pub text: String,
    /// They were not in the version before.
    pub changed: bool,
}

/// Most pieces of one row that are compared piece by piece; beyond that every line is compared as a whole.
const MOST: usize = 2_000;

/// Words up to and with the next mark of punctuation: an item of a list is one piece.
fn pieces(line: &str) -> Vec<&str> {
    let ends = |c: char| "、。（）()・《》〈〉 　：".contains(c);
    line.split_inclusive(ends).collect()
}

/// For each of `new` whether it stands in the longest common sequence with `old`.
fn common(old: &[&str], new: &[&str]) -> (Vec<bool>, Vec<bool>) {
    let (n, m) = (old.len(), new.len());
    let mut longest = vec![vec![0u16; m + 1]; n + 1];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            longest[i][j] = match bare(old[i]) == bare(new[j]) {
                true => longest[i + 1][j + 1] + 1,
                false => longest[i + 1][j].max(longest[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let (mut in_old, mut in_new) = (vec![false; n], vec![false; m]);
    while i < n && j < m {
        if bare(old[i]) == bare(new[j]) {
            (in_old[i], in_new[j]) = (true, true);
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    (in_old, in_new)
}

/// A piece without the mark behind it: the last item of a list is the same item as before.
fn bare(piece: &str) -> &str {
    let trimmed = piece.trim_end_matches(['、', '。', '・']);
    match trimmed.is_empty() {
        true => piece,
        false => trimmed,
    }
}

/// A row against the same row before: its lines in pieces, and the words that are gone.
pub fn marked(old: &[String], new: &[String]) -> (Vec<Vec<Piece>>, Vec<String>) {
    let cut = |lines: &[String]| -> usize { lines.iter().map(|l| pieces(l).len()).sum() };
    let fine = cut(old) <= MOST && cut(new) <= MOST;
    let take = |line| match fine {
        true => pieces(line),
        false => vec![line],
    };
    let before: Vec<&str> = old.iter().flat_map(|l| take(l.as_str())).collect();
    let after: Vec<Vec<&str>> = new.iter().map(|l| take(l.as_str())).collect();
    let (in_old, in_new) = common(&before, &after.concat());
    let mut kept = in_new.into_iter();
    let mut lines = Vec::with_capacity(new.len());
    for line in after {
        let mut out: Vec<Piece> = Vec::new();
        for text in line {
            let changed = !kept.next().unwrap_or(false);
            match out.last_mut() {
                Some(last) if last.changed == changed => last.text.push_str(text),
                _ => out.push(Piece {
                    text: text.to_owned(),
                    changed,
                }),
            }
        }
        lines.push(out);
    }
    let gone = before.iter().zip(in_old).filter(|(_, kept)| !kept);
    let gone = gone
        .map(|(text, _)| bare(text).trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect();
    (lines, gone)
}

/// Lines without a version before: nothing is marked.
pub fn unmarked(new: &[String]) -> Vec<Vec<Piece>> {
    let plain = |line: &String| {
        vec![Piece {
            text: line.clone(),
            changed: false,
        }]
    };
    new.iter().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn shown(old: &str, new: &str) -> (String, Vec<String>) {
        let (marked, gone) = marked(&lines(old), &lines(new));
        let shown = marked.iter().map(|line| {
            let pieces = line.iter().map(|p| match p.changed {
                true => format!("[{}]", p.text),
                false => p.text.clone(),
            });
            pieces.collect::<String>()
        });
        (shown.collect::<Vec<_>>().join("\n"), gone)
    }

    #[test]
    fn a_new_item_is_marked_and_one_that_is_gone_is_told() {
        assert_eq!(
            shown(
                "住所、電話番号、傷病名",
                "住所、電話番号、メールアドレス、傷病名"
            ),
            ("住所、電話番号、[メールアドレス、]傷病名".into(), vec![])
        );
        assert_eq!(
            shown(
                "住所、電話番号、メールアドレス、傷病名",
                "住所、電話番号、傷病名"
            ),
            (
                "住所、電話番号、傷病名".into(),
                vec!["メールアドレス".into()]
            )
        );
        assert_eq!(
            shown("住所、傷病名", "住所"),
            ("住所".into(), vec!["傷病名".into()])
        );
    }

    #[test]
    fn the_same_is_unmarked_and_another_is_marked_whole() {
        assert_eq!(shown("同じ", "同じ"), ("同じ".into(), vec![]));
        assert_eq!(shown("", "新しい"), ("[新しい]".into(), vec![]));
        assert_eq!(shown("古い", ""), (String::new(), vec!["古い".into()]));
        let (text, gone) = shown("1 対面\n2 電話", "1 対面\n2 電話、手紙\n3 WEB");
        assert_eq!(text, "1 対面\n2 電話、[手紙]\n[3 WEB]");
        assert!(gone.is_empty());
    }

    #[test]
    fn joined_pieces_are_the_line_itself_however_long_it_is() {
        let long = "項目、".repeat(3_000);
        for (old, new) in [("", "あ（い・う）、え。"), ("項目、", long.as_str())] {
            let (marked, _) = marked(&lines(old), &lines(new));
            let joined: String = marked[0].iter().map(|p| p.text.as_str()).collect();
            assert_eq!(joined, new);
        }
    }
}
