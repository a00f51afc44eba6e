//! `«16.4»` marks the bytes of a tag that is to be changed, `⟦1.0.0+16.4⟧` those of the version label. The marks are taken out
//! before the text is read.

use super::*;

const LABEL: &str = "coop-cloud.${STACK_NAME}.version";

/// The text without marks, and what it has to become.
fn marked(text: &str, tag: &str, label: &str) -> (String, String) {
    let (mut before, mut after) = (String::new(), String::new());
    let mut rest = text;
    while let Some(at) = rest.find(['«', '⟦']) {
        let (head, tail) = rest.split_at(at);
        let (close, new) = if tail.starts_with('«') { ('»', tag) } else { ('⟧', label) };
        let open = tail.chars().next().unwrap().len_utf8();
        let end = tail.find(close).unwrap();
        before += &format!("{head}{}", &tail[open..end]);
        after += &format!("{head}{new}");
        rest = &tail[end + close.len_utf8()..];
    }
    (before + rest, after + rest)
}

fn file(path: &str, text: &str) -> ManifestFile {
    ManifestFile { path: path.to_owned(), text: text.to_owned() }
}

/// Every tagged image goes to `tag`, the label to `label`, as an update would do it.
fn edits(manifest: &Manifest, from: &str, tag: &str, label: &str) -> Vec<Edit> {
    let mut edits = vec![];
    for image in &manifest.images {
        if let Pin::Tag { tag: old, at } = &image.pin
            && old == from
        {
            edits.push(Edit { file: image.file.clone(), at: *at, old: old.clone(), new: tag.to_owned() });
        }
    }
    for found in &manifest.labels {
        let (file, old) = (found.file.clone(), found.value.clone());
        edits.push(Edit { file, at: found.at, old, new: label.to_owned() });
    }
    edits
}

const GOOD: &[(&str, &str)] = &[
    (
        "plain",
        "services:\n  app:\n    image: postgres:«16.4»\n    deploy:\n      labels:\n        - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n",
    ),
    (
        "a comment with the same tag",
        "# postgres:16.4\nservices:\n  app: # 16.4\n    image: postgres:«16.4» # was postgres:16.4\n    labels:\n      - \"coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\" # 16.4\n",
    ),
    (
        "double quotes",
        "services:\n  app:\n    image: \"postgres:«16.4»\"\n    deploy:\n      labels: ['coop-cloud.${STACK_NAME}.version=⟦0.1.0+16.4⟧']\n",
    ),
    (
        "single quotes",
        "services:\n  app:\n    image: 'postgres:«16.4»'\n    labels:\n      'coop-cloud.${STACK_NAME}.version': '⟦1.2.3+16.4⟧'\n",
    ),
    (
        "flow style",
        "services: {app: {image: postgres:«16.4», labels: {\"coop-cloud.${STACK_NAME}.version\": \"⟦1.0.0+16.4⟧\"}}}\n",
    ),
    (
        "json",
        "{\"services\": {\"app\": {\"image\": \"postgres:«16.4»\", \"deploy\": {\"labels\": [\"coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\"]}}}}\n",
    ),
    (
        "an anchor on the image",
        "services:\n  app:\n    image: &img postgres:«16.4»\n    labels:\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n  worker:\n    image: *img\n",
    ),
    (
        "an anchor on a service",
        "x-app: &app\n  image: postgres:«16.4»\n  restart: always\nservices:\n  app:\n    <<: *app\n    labels:\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n  worker:\n    <<: *app\n    command: work\n",
    ),
    (
        "merged lists of maps",
        "x-a: &a {restart: always}\nx-b: &b {image: 'postgres:«16.4»'}\nservices:\n  app:\n    <<: [*a, *b]\n    labels: [\"coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\"]\n",
    ),
    (
        "a port in the registry host",
        "services:\n  app:\n    image: registry.example.org:5000/team/app:«16.4»\n    labels:\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n",
    ),
    (
        "a port in the host that looks like the tag",
        "services:\n  app:\n    image: localhost:164/16.4/app:«16.4»\n    labels:\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n",
    ),
    (
        "windows line ends",
        "services:\r\n  app:\r\n    image: postgres:«16.4»\r\n    labels:\r\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\r\n",
    ),
    (
        "no line end at the end",
        "services:\n  app:\n    labels:\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n    image: postgres:«16.4»",
    ),
    (
        "wide characters before it",
        "# 🐘 größer 日本\nservices:\n  äpp:\n    image: postgres:«16.4»\n    labels:\n      - \"über=16.4 🐘\"\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n",
    ),
    (
        "odd spaces",
        "services:\n    app:\n        image   :    postgres:«16.4»   \n        labels:\n        -   coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧   \n\n\n",
    ),
    (
        "tabs in a comment, and an explicit document",
        "---\n#\tpostgres:16.4\nservices:\n  app:\n    image: postgres:«16.4»\n    labels:\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n...\n",
    ),
    (
        "other services stay",
        "services:\n  app:\n    image: nginx:1.27.2\n    labels:\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+1.27.2⟧\n  db:\n    image: postgres:«16.4»\n  cache:\n    image: redis:7.4.1-alpine\n",
    ),
    (
        "one version twice, both are asked for",
        "services:\n  app:\n    image: postgres:«16.4»\n    labels:\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n  two:\n    image: postgres:«16.4»\n",
    ),
    (
        "a tag on the scalar",
        "services:\n  app:\n    image: !!str postgres:«16.4»\n    labels:\n      - !!str coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n",
    ),
    (
        "a block that holds an example",
        "services:\n  app:\n    image: postgres:«16.4»\n    command: |\n      image: postgres:16.4\n      coop-cloud.${STACK_NAME}.version=1.0.0+16.4\n    labels:\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n",
    ),
    (
        "labels twice through an anchor",
        "x-l: &l\n  - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\nservices:\n  app:\n    image: postgres:«16.4»\n    labels: *l\n    deploy:\n      labels: *l\n",
    ),
    (
        "a key as a question",
        "services:\n  app:\n    ? image\n    : postgres:«16.4»\n    labels:\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n",
    ),
    (
        "a text over several lines elsewhere",
        "services:\n  app:\n    command: one\n      two 16.4\n      three\n    image: postgres:«16.4»\n    labels:\n      - >-\n        note=postgres:16.4\n      - coop-cloud.${STACK_NAME}.version=⟦1.0.0+16.4⟧\n",
    ),
    (
        "long recipe",
        "version: \"3.8\"\n\nservices:\n  app:\n    image: postgres:«16.4»\n    networks:\n      - proxy\n    configs:\n      - source: app_conf\n        target: /etc/app.conf\n    environment:\n      - DOMAIN=${DOMAIN:-example.org}\n      - IMAGE=postgres:16.4\n    healthcheck:\n      test: [\"CMD\", \"curl\", \"-f\", \"http://localhost\"]\n      interval: 30s\n    deploy:\n      restart_policy:\n        condition: on-failure\n      labels:\n        - \"traefik.enable=true\"\n        - \"traefik.http.routers.${STACK_NAME}.rule=Host(`${DOMAIN}`${EXTRA_DOMAINS})\"\n        ## Redirect\n        #- \"traefik.http.routers.x=16.4\"\n        - \"coop-cloud.${STACK_NAME}.version=⟦2.3.4+16.4⟧\"\n        - \"coop-cloud.${STACK_NAME}.timeout=${TIMEOUT:-120}\"\n\nnetworks:\n  proxy:\n    external: true\nconfigs:\n  app_conf:\n    name: ${STACK_NAME}_app_conf_${CONF_VERSION}\n    file: app.conf\n",
    ),
];

#[test]
fn only_the_tokens_change_in_every_style() {
    assert!(GOOD.len() >= 20);
    for (name, text) in GOOD {
        for (tag, label) in
            [("17.0", "1.1.0+17.0"), ("17", "1.1.0+17"), ("17.0.1-alpine3.20", "2.0.0+17.0.1-alpine3.20")]
        {
            let (before, after) = marked(text, tag, label);
            let files = [file("compose.yml", &before)];
            let manifest = ComposeFiles.scan(&files, LABEL).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(manifest.labels.len(), 1, "{name}");
            let changed = ComposeFiles
                .edit(&files, LABEL, &edits(&manifest, "16.4", tag, label))
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(changed[0].text, after, "{name}");
        }
    }
}

#[test]
fn several_files_are_one_manifest() {
    let (one, one_after) = marked(GOOD[0].1, "17.0", "1.1.0+17.0");
    let (two, two_after) =
        marked("services:\n  db:\n    image: postgres:«16.4»\n  other:\n    image: redis:7\n", "17.0", "");
    let files = [file("compose.yml", &one), file("compose.db.yml", &two)];
    let manifest = ComposeFiles.scan(&files, LABEL).unwrap();
    assert_eq!(manifest.images.len(), 3);
    let changed = ComposeFiles.edit(&files, LABEL, &edits(&manifest, "16.4", "17.0", "1.1.0+17.0")).unwrap();
    assert_eq!(
        (changed[0].text.as_str(), changed[1].text.as_str()),
        (one_after.as_str(), two_after.as_str())
    );
}

#[test]
fn what_cannot_be_changed_safely_is_reported() {
    for (text, why) in [
        ("services:\n  app:\n    image: postgres:16.4@sha256:0123456789abcdef\n", "pinned to a digest"),
        ("services:\n  app:\n    image: postgres@sha256:0123456789abcdef\n", "pinned to a digest"),
        ("services:\n  app:\n    image: postgres:${TAG}\n", "from variables"),
        ("services:\n  app:\n    image: postgres:${TAG:-16.4}\n", "from variables"),
        ("services:\n  app:\n    image: ${IMAGE}\n", "from variables"),
        ("services:\n  app:\n    image: postgres\n", "has no tag"),
        ("services:\n  app:\n    image: \"postgres:\\x316.4\"\n", "with escapes"),
        ("services:\n  app:\n    image: >-\n      postgres:16.4\n", "over several lines"),
    ] {
        let manifest = ComposeFiles.scan(&[file("compose.yml", text)], LABEL).unwrap();
        let report = manifest.images[0].pin.report().unwrap();
        assert!(report.contains(why), "{text}: {report}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_a_sentence() {
    for (text, why) in [
        ("services:\n  app:\n    image: [a, b]\n", "is no text"),
        ("services:\n  app:\n    image: a:1\n    image: a:2\n", "stands twice"),
        ("services:\n  app: {image: a:1\n", "no YAML"),
        ("a: 1\n---\nservices: {}\n", "more than one document"),
        ("services:\n  app:\n    image: \"A B:1\"\n", "no image reference"),
        ("services:\n  app: &a\n    image: x:1\n    <<: *a\n", "into itself"),
        (
            "services:\n  app:\n    image: a:1\n    labels:\n      - \"coop-cloud.${STACK_NAME}.version=1.0\\x2e0+1\"\n",
            "label is written with escapes",
        ),
        (
            "services:\n  app:\n    image: a:1\n    labels:\n      coop-cloud.${STACK_NAME}.version: [1]\n",
            "label is no text",
        ),
    ] {
        let error = ComposeFiles.scan(&[file("compose.yml", text)], LABEL).unwrap_err();
        assert!(error.contains(why) && error.starts_with("reading compose.yml"), "{text}: {error}");
    }
    let deep = format!("a: {}{}", "[".repeat(500), "]".repeat(500));
    assert!(ComposeFiles.scan(&[file("c.yml", &deep)], LABEL).is_err());
    let bomb = "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nservices: *c\n";
    assert_eq!(ComposeFiles.scan(&[file("c.yml", bomb)], LABEL), Ok(Manifest::default()));
}

#[test]
fn a_change_that_would_alter_more_is_refused() {
    let text =
        "services:\n  app:\n    image: a:1\n    labels: ['coop-cloud.${STACK_NAME}.version=1.0.0+1']\n";
    let files = [file("compose.yml", text)];
    let manifest = ComposeFiles.scan(&files, LABEL).unwrap();
    let Pin::Tag { at, .. } = manifest.images[0].pin else { panic!() };
    for new in [
        "2 #",
        "2\n    privileged: true",
        "2\n  evil:\n    image: x:1",
        "",
        "2@sha256:0",
        "${X}",
        "2: x",
        "2/x",
    ] {
        let edit = Edit { file: "compose.yml".into(), at, old: "1".into(), new: new.into() };
        assert!(ComposeFiles.edit(&files, LABEL, &[edit]).is_err(), "{new:?}");
    }
    let label = &manifest.labels[0];
    for new in ["1.0.1+2' , 'x", "1.0.1+2'", "x\ny"] {
        let edit =
            Edit { file: "compose.yml".into(), at: label.at, old: label.value.clone(), new: new.into() };
        assert!(ComposeFiles.edit(&files, LABEL, &[edit]).is_err(), "{new:?}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_panic(text in "(services|image|app|labels|[ \n:&*\"'{}\\[\\]|>\\-a1.$#!?]){0,60}") {
        if let Ok(manifest) = ComposeFiles.scan(&[file("c.yml", &text)], LABEL) {
            for image in &manifest.images {
                if let Pin::Tag { tag, at } = &image.pin {
                    assert_eq!(&text[at.0..at.1], tag);
                }
            }
        }
    }
}
