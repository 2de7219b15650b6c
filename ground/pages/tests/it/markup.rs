//! What the markup of every sample must and must not hold.

use crate::scan::{samples, tags};
use askama::Template;
use mimamori_pages::{Frame, Gallery, asset_names, asset_path};
use std::collections::HashSet;

#[test]
fn no_page_holds_inline_script_or_style() {
    for (name, page) in samples() {
        for tag in tags(&page) {
            assert_ne!(tag.name, "style", "{name}");
            if tag.name == "script" {
                assert!(tag.get("src").is_some(), "{name}");
            }
            for (key, value) in &tag.attributes {
                assert!(key != "style" && !key.starts_with("on"), "{name}: {key}");
                assert!(!value.trim_start().starts_with("javascript:"), "{name}");
            }
        }
        for body in page.split("<script").skip(1) {
            let inner = body.split_once('>').unwrap().1;
            assert!(inner.starts_with("</script>"), "{name}: inline script");
        }
    }
}

#[test]
fn every_link_stays_on_this_site_and_every_asset_exists() {
    let known: HashSet<_> = asset_names().map(asset_path).collect();
    for (name, page) in samples() {
        for tag in tags(&page) {
            for key in ["href", "src", "action"] {
                let Some(path) = tag.get(key) else { continue };
                let local = path.starts_with('#') || path.starts_with('/');
                assert!(local && !path.starts_with("//"), "{name}: {path}");
                if path.starts_with("/assets/") {
                    assert!(known.contains(path), "{name}: {path}");
                }
            }
        }
    }
}

#[test]
fn every_page_has_language_skip_link_main_and_one_heading() {
    for (name, page) in samples() {
        assert!(
            page.starts_with("<!DOCTYPE html>\n<html lang=\"ja\">"),
            "{name}"
        );
        assert!(page.contains("href=\"#main\""), "{name}");
        let all = tags(&page);
        let count = |wanted: &str| all.iter().filter(|tag| tag.name == wanted).count();
        assert_eq!(
            (count("main"), count("h1"), count("title")),
            (1, 1, 1),
            "{name}"
        );
        assert!(page.contains("見守り"), "{name}");
    }
}

#[test]
fn the_demo_band_stands_on_every_page_of_a_demo() {
    let band = "デモ環境 — 実在の人の情報を入れないでください";
    for (name, page) in samples() {
        assert_eq!(page.contains(band), name != "public", "{name}");
    }
}

#[test]
fn a_signed_in_page_always_shows_office_and_name_and_can_sign_out() {
    let page = Gallery::sample().render().unwrap();
    for part in [
        "介護保険課",
        "見本 花子",
        "action=\"/sign-out\"",
        "data-idle=\"600\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let mut frame = Frame::sample();
    frame.office = None;
    let page = Gallery::new(frame, "").render().unwrap();
    assert!(!page.contains("whoami-office"), "a citizen has no office");
    let page = Gallery::new(Frame::public("公開"), "").render().unwrap();
    assert!(!page.contains("/sign-out") && !page.contains("data-idle"));
}

#[test]
fn every_post_form_carries_the_token() {
    let page = Gallery::sample().render().unwrap();
    let forms: Vec<_> = page.split("<form").skip(1).collect();
    assert_eq!(forms.len(), 2);
    for form in forms {
        let form = form.split("</form>").next().unwrap();
        assert!(form.contains("name=\"csrf\" value=\"sample-token\""));
    }
}

#[test]
fn ids_are_unique_and_every_reference_points_to_one() {
    for (name, page) in samples() {
        let all = tags(&page);
        let mut ids = HashSet::new();
        for id in all.iter().filter_map(|tag| tag.get("id")) {
            assert!(ids.insert(id), "{name}: {id} twice");
        }
        for tag in &all {
            for key in ["for", "aria-describedby", "aria-labelledby"] {
                for id in tag.get(key).unwrap_or_default().split_whitespace() {
                    assert!(ids.contains(id), "{name}: {key}={id}");
                }
            }
            let target = tag.get("href").and_then(|href| href.strip_prefix('#'));
            assert!(
                target.is_none_or(|id| ids.contains(id)),
                "{name}: {target:?}"
            );
        }
    }
}

#[test]
fn every_control_has_a_label_and_need_is_a_word() {
    let page = Gallery::sample().render().unwrap();
    let all = tags(&page);
    let labels: HashSet<_> = all.iter().filter_map(|tag| tag.get("for")).collect();
    for tag in &all {
        let control = ["input", "select", "textarea", "progress"].contains(&tag.name.as_str());
        if control && tag.get("type") != Some("hidden") {
            let id = tag.get("id").unwrap();
            assert!(labels.contains(id), "{id}");
        }
    }
    assert!(page.contains("必須") && page.contains("任意"));
    assert!(page.contains("aria-describedby=\"kana-error kana-hint\" aria-invalid=\"true\""));
}

#[test]
fn values_are_escaped() {
    let (_, page) = samples().swap_remove(2);
    assert!(!page.contains("<script>alert"));
    assert!(!page.contains("\" onclick=\"x"));
}

#[test]
fn every_macro_has_a_sample_in_the_gallery() {
    let components = include_str!("../../templates/pages/components.html");
    let gallery = include_str!("../../templates/pages/gallery.html");
    let inner = ["need", "field_head", "field_attributes"]; // used by other macros
    for piece in components.split("{%- macro ").skip(1) {
        let name = piece.split('(').next().unwrap();
        let used = gallery.contains(&format!("ui::{name}("));
        assert!(used || inner.contains(&name), "{name}");
    }
}
