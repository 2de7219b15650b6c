//! A line plot as SVG with its own words (図). The same numbers stand in a table beside it; the picture carries a title
//! and a description for readers who do not see it, shapes beside colours, and no script.

use std::fmt::Write as _;

/// One line with its mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// One value for each place on the axis; none leaves a gap.
    pub values: Vec<Option<f64>>,
}

/// A plot of few lines over few places.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Unique in the page.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// The same in a sentence or two, with the numbers that matter.
    pub description: String,
    /// Unit of the upright axis.
    pub unit: String,
    /// Places on the axis.
    pub places: Vec<String>,
    /// Lines.
    pub series: Vec<Series>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 44.0;
/// Dashes by line.
const DASHES: [&str; 4] = [
    "",
    " stroke-dasharray=\"8 5\"",
    " stroke-dasharray=\"2 4\"",
    " stroke-dasharray=\"12 4 2 4\"",
];

/// Text for an element or an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// A step of 1, 2 or 5 times a power of ten that gives four to eight lines.
fn step(span: f64) -> f64 {
    let raw = span / 5.0;
    let power = 10f64.powf(raw.log10().floor());
    let times = [1.0, 2.0, 5.0].into_iter().find(|t| t * power >= raw);
    times.unwrap_or(10.0) * power
}

impl Plot {
    /// The picture, in the colour of the text around it, so that it holds in every theme; lines differ by dashes and marks.
    pub fn svg(&self) -> String {
        let all: Vec<f64> = self
            .series
            .iter()
            .flat_map(|s| s.values.iter().flatten().copied())
            .collect();
        let low = all.iter().copied().fold(f64::INFINITY, f64::min);
        let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low.is_finite() {
            (low, high)
        } else {
            (0.0, 1.0)
        };
        let step = step((high - low).max(0.5));
        let (bottom, top) = ((low / step).floor() * step, (high / step).ceil() * step);
        let top = if top > bottom { top } else { bottom + step };
        let scale = Scale {
            bottom,
            top,
            places: self.places.len(),
        };
        let mut out = String::with_capacity(4 << 10);
        let id = escaped(&self.id);
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{id}-title {id}-text"><title id="{id}-title">{}</title><desc id="{id}-text">{}</desc>"#,
            escaped(&self.title),
            escaped(&self.description)
        );
        scale.axis(&mut out, step, &self.unit);
        scale.names(&mut out, &self.places);
        for (number, series) in self.series.iter().enumerate() {
            scale.line(&mut out, number, series);
            legend(&mut out, number, &series.name);
        }
        out.push_str("</svg>");
        out
    }
}

struct Scale {
    bottom: f64,
    top: f64,
    places: usize,
}

impl Scale {
    fn y(&self, value: f64) -> f64 {
        let share = (value - self.bottom) / (self.top - self.bottom);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    #[expect(clippy::cast_precision_loss, reason = "a handful of places")]
    fn x(&self, place: usize) -> f64 {
        let inner = WIDTH - LEFT - RIGHT;
        LEFT + inner * (place as f64 + 0.5) / self.places.max(1) as f64
    }

    fn axis(&self, out: &mut String, step: f64, unit: &str) {
        let mut value = self.bottom;
        while value <= self.top + step / 1e6 {
            let y = self.y(value);
            let shown = if step < 1.0 {
                format!("{value:.1}")
            } else {
                format!("{value:.0}")
            };
            let _ = write!(
                out,
                r#"<line class="plot-grid" stroke="currentColor" stroke-opacity="0.25" x1="{LEFT}" x2="{}" y1="{y:.1}" y2="{y:.1}"/><text class="plot-text" fill="currentColor" font-size="14" x="{}" y="{:.1}" text-anchor="end">{shown}</text>"#,
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 5.0
            );
            value += step;
        }
        let _ = write!(
            out,
            r#"<text class="plot-text" fill="currentColor" font-size="14" x="8" y="20">{}</text>"#,
            escaped(unit)
        );
    }

    fn names(&self, out: &mut String, places: &[String]) {
        for (place, name) in places.iter().enumerate() {
            let _ = write!(
                out,
                r#"<text class="plot-text" fill="currentColor" font-size="14" x="{:.1}" y="{}" text-anchor="middle">{}</text>"#,
                self.x(place),
                HEIGHT - 14.0,
                escaped(name)
            );
        }
    }

    fn line(&self, out: &mut String, number: usize, series: &Series) {
        let mut open = false;
        let mut path = String::new();
        for (place, value) in series.values.iter().enumerate() {
            let Some(value) = value else {
                open = false;
                continue;
            };
            let (x, y) = (self.x(place), self.y(*value));
            let _ = write!(path, "{}{x:.1} {y:.1}", if open { "L" } else { "M" });
            open = true;
            mark(out, number, x, y);
        }
        let _ = write!(
            out,
            r#"<path class="plot-line-{}" fill="none" stroke="currentColor" stroke-width="2"{} d="{path}"/>"#,
            number % 4,
            DASHES[number % 4]
        );
    }
}

/// Circle, square, triangle, diamond: a line is told by its shape too.
fn mark(out: &mut String, number: usize, x: f64, y: f64) {
    let shape = match number % 4 {
        0 => format!(r#"<circle fill="currentColor" cx="{x:.1}" cy="{y:.1}" r="5"/>"#),
        1 => format!(
            r#"<path fill="none" stroke="currentColor" stroke-width="2" d="M{:.1} {:.1}h10v10h-10z"/>"#,
            x - 5.0,
            y - 5.0
        ),
        2 => format!(
            r#"<path fill="currentColor" d="M{x:.1} {:.1}l6 11h-12z"/>"#,
            y - 6.0
        ),
        _ => format!(
            r#"<path fill="none" stroke="currentColor" stroke-width="2" d="M{x:.1} {:.1}l6 6l-6 6l-6 -6z"/>"#,
            y - 6.0
        ),
    };
    out.push_str(&shape);
}

#[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
fn legend(out: &mut String, number: usize, name: &str) {
    let x = LEFT + 120.0 + 150.0 * number as f64;
    mark(out, number, x, 15.0);
    let _ = write!(
        out,
        r#"<text class="plot-text" fill="currentColor" font-size="14" x="{:.1}" y="20">{}</text>"#,
        x + 12.0,
        escaped(name)
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plot(values: Vec<Vec<Option<f64>>>) -> Plot {
        let series = values
            .into_iter()
            .map(|v| Series {
                name: "参加 <前>".into(),
                values: v,
            })
            .collect();
        Plot {
            id: "hba1c".into(),
            title: "HbA1cの平均".into(),
            description: "前年7.6、翌年7.2 & more".into(),
            unit: "%".into(),
            places: vec!["令和6年度".into(), "令和7年度".into()],
            series,
        }
    }

    #[test]
    fn it_has_words_for_those_who_do_not_see_it() {
        let svg = plot(vec![vec![Some(7.6), Some(7.2)]]).svg();
        let xml = roxmltree::Document::parse(&svg).unwrap();
        let root = xml.root_element();
        assert_eq!(root.attribute("role"), Some("img"));
        let labels: Vec<_> = root
            .attribute("aria-labelledby")
            .unwrap()
            .split(' ')
            .collect();
        for label in labels {
            assert!(
                xml.descendants()
                    .any(|n| n.attribute("id") == Some(label) && n.text().is_some())
            );
        }
        assert!(xml.descendants().any(|n| n.text() == Some("参加 <前>")));
        assert!(!svg.contains("style=") && !svg.contains("<script"));
    }

    #[test]
    fn a_gap_breaks_the_line_and_no_value_draws_none() {
        let paths = |svg: &str| svg.matches("d=\"M").count();
        let gap = plot(vec![vec![Some(1.0), None, Some(2.0)]]).svg();
        assert_eq!(
            gap.split("plot-line-0")
                .nth(1)
                .unwrap()
                .matches('M')
                .count(),
            2
        );
        assert_eq!(paths(&plot(vec![vec![None, None]]).svg()), 0);
        assert!(roxmltree::Document::parse(&plot(vec![]).svg()).is_ok());
    }

    proptest! {
        #[test]
        fn every_mark_lies_within_the_frame(values in prop::collection::vec(prop::option::of(-1000.0f64..1000.0), 2)) {
            let svg = plot(vec![values]).svg();
            let xml = roxmltree::Document::parse(&svg).unwrap();
            for circle in xml.descendants().filter(|n| n.tag_name().name() == "circle") {
                let at = |name: &str| circle.attribute(name).unwrap().parse::<f64>().unwrap();
                prop_assert!((0.0..=WIDTH).contains(&at("cx")) && (0.0..=HEIGHT).contains(&at("cy")));
            }
            prop_assert!(svg.matches("plot-grid").count() <= 12);
        }
    }
}
