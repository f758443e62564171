//! Edits of one text, one after the other as an operator would read them.

mod batch;
mod fleet;
mod laws;

use super::*;

/// The path of keys with dots between.
fn path(keys: &str) -> KeyPath {
    KeyPath::new(keys.split('.'))
}

fn set(keys: &str, value: Value) -> Edit {
    Edit::Set {
        path: path(keys),
        value,
    }
}

fn insert(keys: &str, value: Value) -> Edit {
    Edit::Insert {
        path: path(keys),
        value,
        beside: None,
    }
}

fn remove(keys: &str) -> Edit {
    Edit::Remove { path: path(keys) }
}

fn edited(text: &str, edit: &Edit) -> Result<String, EditError> {
    let file = SourceFile {
        path: "a.yaml".to_owned(),
        text: text.to_owned(),
    };
    edit_all(&file, &[edit])
}

#[track_caller]
fn becomes(before: &str, edit: Edit, after: &str) {
    assert_eq!(edited(before, &edit).unwrap(), after, "{before:?} with {edit:?}");
}

#[track_caller]
fn refused(before: &str, edit: Edit, message: &str) {
    let error = edited(before, &edit).unwrap_err();
    assert_eq!(error.to_string(), message, "{before:?} with {edit:?}");
}

fn subscriber() -> Value {
    Value::map([("device", Value::from("a")), ("vlan", Value::Number(10))])
}

#[test]
fn a_value_is_replaced_and_nothing_else() {
    let one = || set("a.vlan", Value::Number(20));
    becomes(
        "a:\n  vlan:  10   # tv\n  b: 1\n",
        one(),
        "a:\n  vlan:  20   # tv\n  b: 1\n",
    );
    becomes("a: {x: 1,vlan: 10 , y: 2}", one(), "a: {x: 1,vlan: 20 , y: 2}");
    becomes(
        "\u{feff}---\r\na:\r\n  vlan: 10\r\n...\r\n",
        one(),
        "\u{feff}---\r\na:\r\n  vlan: 20\r\n...\r\n",
    );
    becomes("'a':\n  \"vlan\" : 10", one(), "'a':\n  \"vlan\" : 20");
    becomes("a:\n  vlan:\t10\t# a\ttab\n", one(), "a:\n  vlan:\t20\t# a\ttab\n");
    becomes("a:\n  vlan:\n    10\n", one(), "a:\n  vlan:\n    20\n");
    becomes("a:\n  vlan: &v 10\n", one(), "a:\n  vlan: &v 20\n");
}

#[test]
fn quotes_stay_as_they_are_unless_the_value_needs_others() {
    let text = |value: &str| set("a", Value::from(value));
    becomes("a: 'x'\n", text("it's"), "a: 'it''s'\n");
    becomes("a: \"x\"\n", text("y"), "a: \"y\"\n");
    becomes("a: x\n", text("no"), "a: \"no\"\n");
    becomes("a: 'x'\n", text("tab\t"), "a: \"tab\\u0009\"\n");
    becomes("{a: x}\n", text("b, c"), "{a: \"b, c\"}\n");
    becomes("a: 'x'\n", set("a", Value::Flag(true)), "a: true\n");
}

#[test]
fn an_empty_value_is_filled() {
    let one = || set("a.b", Value::Number(1));
    becomes("a:\n  b:   # later\nc: 1\n", one(), "a:\n  b: 1   # later\nc: 1\n");
    becomes("a: {b, c: 1}\n", one(), "a: {b: 1, c: 1}\n");
    becomes("a: {b: }\n", one(), "a: {b: 1 }\n");
    becomes("a: {b: ~}\n", one(), "a: {b: 1}\n");
    becomes("a:\nc: 1\n", one(), "a: {b: 1}\nc: 1\n");
    becomes("a: {}  # none\n", one(), "a: {b: 1}  # none\n");
    becomes("a:", one(), "a: {b: 1}");
}

#[test]
fn a_text_of_several_lines_is_replaced_as_a_whole() {
    let one = || set("a", Value::from("z"));
    becomes("a: |  # long\n  x\n  y\n\nb: 1\n", one(), "a: z  # long\n\nb: 1\n");
    becomes("a: >-\n  x\n  y", one(), "a: z");
    becomes("a: |\nb: 1\n", one(), "a: z\nb: 1\n");
    becomes("a: one\n  two\n  three # c\nb: 1\n", one(), "a: z # c\nb: 1\n");
    becomes("a: \"x\\\n  y\"\nb: 1\n", one(), "a: \"z\"\nb: 1\n");
}

#[test]
fn a_list_is_replaced_in_its_own_style() {
    let one = || set("a", Value::List(vec![Value::Number(3), Value::from("5-7")]));
    becomes("a: [1, 2] # tv\nb: 1\n", one(), "a: [3, 5-7] # tv\nb: 1\n");
    becomes("a:\n- 1\n- 2\nb: 1\n", one(), "a:\n- 3\n- 5-7\nb: 1\n");
    becomes("a:\n  - 1\n  - 2", one(), "a:\n  - 3\n  - 5-7");
    becomes(
        "a: # all\n  - 1\n\n# b\nb: 1\n",
        set("a", Value::from("all")),
        "a: all # all\n\n# b\nb: 1\n",
    );
}

#[test]
fn a_new_setting_stands_where_its_fellows_say() {
    let text = "subscribers:\n  s-1:\n    device: a\n    plan: gold # best\n    # Not yet: poe.\n\n  s-2: {device: a, plan: gold}\n";
    becomes(
        text,
        set("subscribers.s-1.port", Value::Number(4)),
        &text.replace("device: a\n", "device: a\n    port: 4\n"),
    );
    becomes(
        text,
        set("subscribers.s-1.vlan", Value::Number(4)),
        &text.replace("# best\n", "# best\n    vlan: 4\n"),
    );
    becomes(
        text,
        set("subscribers.s-2.name", Value::from("x")),
        &text.replace("{device", "{name: x, device"),
    );
    becomes(
        text,
        set("subscribers.s-1.external.splynx", Value::from("7")),
        &text.replace("# best\n", "# best\n    external: {splynx: \"7\"}\n"),
    );
}

#[test]
fn a_new_entry_stands_where_its_neighbours_are_and_looks_like_them() {
    let new = || insert("subscribers.s-2", subscriber());
    becomes(
        "subscribers:\n  s-1:\n    device: a\n\n  # The shop.\n  s-3:\n    device: a\nother: 1\n",
        new(),
        "subscribers:\n  s-1:\n    device: a\n\n  s-2:\n    device: a\n    vlan: 10\n\n  # The shop.\n  s-3:\n    device: a\nother: 1\n",
    );
    becomes(
        "subscribers:\n    s-1: {device: a}\n    # end\n# The rest.\nother: 1\n",
        new(),
        "subscribers:\n    s-1: {device: a}\n    s-2: {device: a, vlan: 10}\n    # end\n# The rest.\nother: 1\n",
    );
    becomes(
        "subscribers:\r\n   s-9:\r\n      device: a\r\n      # inner\r\n",
        insert("subscribers.s-10", subscriber()),
        "subscribers:\r\n   s-9:\r\n      device: a\r\n      # inner\r\n   s-10:\r\n      device: a\r\n      vlan: 10\r\n",
    );
    becomes(
        "subscribers:\n  s-1:\n    device: a",
        new(),
        "subscribers:\n  s-1:\n    device: a\n  s-2:\n    device: a\n    vlan: 10",
    );
    becomes(
        "subscribers: # none\n",
        new(),
        "subscribers: # none\n  s-2:\n    device: a\n    vlan: 10\n",
    );
    becomes(
        "subscribers: {} # none\n",
        new(),
        "subscribers: # none\n  s-2:\n    device: a\n    vlan: 10\n",
    );
    becomes(
        "# Nothing yet.",
        new(),
        "# Nothing yet.\nsubscribers:\n  s-2:\n    device: a\n    vlan: 10\n",
    );
    becomes(
        "plans:\n  x: {rate: 1 Gbps}\n",
        new(),
        "plans:\n  x: {rate: 1 Gbps}\nsubscribers:\n  s-2:\n    device: a\n    vlan: 10\n",
    );
}

#[test]
fn what_goes_takes_its_comments_along_and_leaves_those_of_others() {
    let text = "# All of them.\n\nsubscribers:\n  # One.\n  s-1:\n    device: a\n\n  # Two,\n  # with a view.\n  s-2:\n    device: a # here\n    # inner\n\n  # Three.\n  s-3:\n    device: a\n# end\n";
    becomes(
        text,
        remove("subscribers.s-2"),
        &text.replace(
            "  # Two,\n  # with a view.\n  s-2:\n    device: a # here\n    # inner\n\n",
            "",
        ),
    );
    becomes(
        text,
        remove("subscribers.s-1"),
        &text.replace("  # One.\n  s-1:\n    device: a\n\n", ""),
    );
    becomes(
        text,
        remove("subscribers.s-3"),
        &text.replace("\n  # Three.\n  s-3:\n    device: a\n", ""),
    );
    becomes("# head\na: 1\nb: 2\n", remove("a"), "# head\nb: 2\n");
    becomes("a: 1\nb: 2", remove("b"), "a: 1");
    becomes("a: {x: 1, y: 2, z: 3}\n", remove("a.x"), "a: {y: 2, z: 3}\n");
    becomes("a: {x: 1, y: 2, z: 3}\n", remove("a.z"), "a: {x: 1, y: 2}\n");
    becomes("a: { x: 1 }\n", remove("a.x"), "a: {  }\n");
    becomes(
        "a: {\n  x: 1, # one\n  y: 2\n}\n",
        remove("a.y"),
        "a: {\n  x: 1, # one\n}\n",
    );
}

#[test]
fn a_map_that_is_left_empty_says_so() {
    becomes(
        "a: # all\n  # one\n  x: 1\nb: 1\n",
        remove("a.x"),
        "a: {} # all\nb: 1\n",
    );
    becomes("a: 1\n", remove("a"), "");
    becomes("a:\n  x: 1", remove("a.x"), "a: {}");
}

#[test]
fn what_would_change_another_place_as_well_is_refused() {
    let text = "a: &x {v: 1}\nb: *x\nc: {d: *x}\n";
    let elsewhere = "`b` repeats by an alias (`*`) what stands elsewhere";
    refused(text, set("b", Value::Number(1)), &format!("a.yaml:2:1: {elsewhere}"));
    refused(
        text,
        set("b.v", Value::Number(2)),
        &format!("a.yaml:2:1: {}", elsewhere.replace("`b`", "`b.v`")),
    );
    refused(
        text,
        set("a.v", Value::Number(2)),
        "a.yaml:1:11: editing `a.v` would change what repeats it by an alias (`*`)",
    );
    refused(
        text,
        remove("a"),
        "a.yaml:1:1: editing `a` would change what repeats it by an alias (`*`)",
    );
    // Beside an alias there is room.
    becomes(
        text,
        set("c.e", Value::Number(1)),
        "a: &x {v: 1}\nb: *x\nc: {d: *x, e: 1}\n",
    );
    becomes(text, remove("c.d"), "a: &x {v: 1}\nb: *x\nc: {}\n");
    becomes(text, remove("b"), "a: &x {v: 1}\nc: {d: *x}\n");
}

#[test]
fn what_cannot_be_edited_is_said_with_its_place() {
    refused("a: 1\n", remove("b"), "a.yaml: there is no `b`");
    refused(
        "a: 1\n",
        insert("a", Value::Number(1)),
        "a.yaml:1:1: `a` is there already",
    );
    refused(
        "a: [1]\n",
        set("a.b", Value::Number(1)),
        "a.yaml:1:1: `a.b` leads into what is not a map of keys and values",
    );
    refused(
        "x: 1\n? a\n: b\n",
        set("a", Value::Number(1)),
        "a.yaml:2:3: `a` is written in a form that is not edited by a program",
    );
    refused(
        "{}\n",
        set("a", Value::Number(1)),
        "a.yaml:1:1: `a` is written in a form that is not edited by a program",
    );
}
