use super::super::super::billing::Seed;
use super::*;

/// A desk that lets anybody in who says key and secret.
fn desk() -> Desk {
    let key = Key {
        key: "k".to_owned(),
        secret: "s".to_owned(),
        unsecure: true,
        last_nonce: 0,
    };
    Desk::new(World::new(&Seed::many(3)), key)
}

/// Asks as `k:s`; status, and the body as a text.
fn ask(desk: &mut Desk, method: &str, path: &str, body: &str) -> (u16, String) {
    ask_in(desk, "application/json", method, path, body)
}

/// The same with a body of another kind.
fn ask_in(desk: &mut Desk, content_type: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let asked = Asked {
        method: method.to_owned(),
        path: format!("/api/2.0/admin/{path}"),
        query: query.to_owned(),
        body: body.as_bytes().to_vec(),
        content_type: content_type.to_owned(),
        authorization: Some("Basic azpz".to_owned()),
        caller: Caller {
            agent: "a".to_owned(),
            address: "127.0.0.1".to_owned(),
        },
    };
    let said = desk.answer(&asked, Timestamp::UNIX_EPOCH);
    (said.status, String::from_utf8(said.body).unwrap())
}

#[test]
fn what_is_asked_wrongly_is_refused_as_the_real_one_does() {
    let mut desk = desk();
    for (method, path, body, status) in [
        ("GET", "nothing", "", 404),
        ("GET", "customers/customer/99", "", 404),
        ("GET", "customers/customer/0/internet-services", "", 400),
        ("GET", "customers/customer/99/internet-services", "", 404),
        ("GET", "customers/customer/1002/internet-services--5001", "", 404),
        (
            "GET",
            "customers/customer?main_attributes[id][0]=REGEXP&main_attributes[id][1]=1",
            "",
            400,
        ),
        ("PUT", "customers/customer", "{}", 400),
        ("DELETE", "customers/customer", "", 400),
        ("DELETE", "customers/customer/1001", "", 400),
        ("DELETE", "tariffs/internet/1", "", 405),
        ("POST", "tariffs/internet", "{}", 405),
        ("POST", "support/tickets", r#"{"subject":"x","priority":"low"}"#, 422),
        ("POST", "customers/customer-notes", r#"{"customer_id":1001}"#, 422),
        ("POST", "customers/customer-notes", "x", 400),
        ("PATCH", "customers/customer", "", 405),
    ] {
        assert_eq!(ask(&mut desk, method, path, body).0, status, "{method} {path}");
    }
    desk.off.insert(Table::Items);
    let disabled = r#"{"error":{"message":"Method is disabled!","code":405,"internal_code":"METHOD_DISABLED"}}"#;
    assert_eq!(ask(&mut desk, "GET", "inventory/items", ""), (405, disabled.to_owned()));
    desk.forbidden.insert(Table::Tariffs);
    assert_eq!(ask(&mut desk, "GET", "tariffs/internet", "").0, 403);
    assert_eq!(ask(&mut desk, "HEAD", "customers/customer", "").0, 204);
}

#[test]
fn what_is_written_is_there() {
    let mut desk = desk();
    let note = r#"{"customer_id":1001,"comment":"hello","date_time":"2025-01-01 00:00:00"}"#;
    assert_eq!(
        ask(&mut desk, "POST", "customers/customer-notes", note),
        (201, r#"{"id":1}"#.to_owned())
    );
    let (_, there) = ask(&mut desk, "GET", "customers/customer-notes/1001--1", "");
    assert!(!there.contains("2025"), "`date_time` is not a field: {there}");
    let field = r#"{"additional_attributes":{"gam_status":"provisioned"}}"#;
    let service = "customers/customer/1001/internet-services--5001";
    assert_eq!(ask(&mut desk, "PUT", service, field), (202, String::new()));
    assert!(
        ask(&mut desk, "GET", service, "")
            .1
            .contains(r#""gam_status":"provisioned""#)
    );
    assert_eq!(
        ask(&mut desk, "PUT", "customers/customer/1001", r#"{"status":"disabled"}"#).0,
        202
    );
    assert_eq!(ask(&mut desk, "DELETE", "customers/customer/1001", "").0, 204);
    assert_eq!(ask(&mut desk, "GET", "customers/customer/1001", "").0, 404);
    assert!(
        ask(&mut desk, "OPTIONS", "customers/customer", "")
            .1
            .contains(r#""name":"status""#)
    );
}

#[test]
fn a_ticket_comes_as_json_or_as_a_form_with_files() {
    let mut desk = desk();
    let json = r#"{"subject":"Two MACs","type_id":1,"priority":"low"}"#;
    assert_eq!(ask(&mut desk, "POST", "support/tickets", json).0, 201);
    let part = |name: &str, text: &str| format!("--xyz\r\nContent-Disposition: form-data; {name}\r\n\r\n{text}\r\n");
    let form = |names: &[(&str, &str)]| {
        let parts = names.iter().map(|(name, text)| part(&format!("name=\"{name}\""), text));
        let file = part("name=\"file\"; filename=\"a.txt\"", "hello");
        parts.chain([file, "--xyz--\r\n".to_owned()]).collect::<String>()
    };
    let whole = [("subject", "Which\r\none?"), ("type_id", "1"), ("priority", "low")];
    let kind = "multipart/form-data; boundary=\"xyz\"";
    assert_eq!(ask_in(&mut desk, kind, "POST", "support/tickets", &form(&whole)).0, 201);
    let there = desk.world.row(Table::Tickets, 2).unwrap();
    assert_eq!(
        (text(&there["subject"]), there.contains_key("file")),
        ("Which\r\none?".to_owned(), false)
    );
    let (status, _) = ask_in(&mut desk, kind, "POST", "support/tickets", &form(&whole[..1]));
    assert_eq!(status, 422);
    // Only tickets have files.
    let note = ask_in(
        &mut desk,
        kind,
        "POST",
        "customers/customer-notes",
        &form(&[("customer_id", "1001")]),
    );
    assert_eq!(note.0, 400);
}

#[test]
fn passwords_are_where_the_real_one_has_them() {
    let mut desk = desk();
    let has = |desk: &mut Desk, path: &str| ask(desk, "GET", path, "").1.contains("canary-password");
    assert!(!has(&mut desk, "customers/customer"));
    assert!(has(&mut desk, "customers/customer/1001"));
    assert!(has(&mut desk, "customers/customer/1001/internet-services"));
}

#[test]
fn a_key_of_one_partner_does_not_see_the_others() {
    let mut desk = desk();
    desk.world.set(Table::Customers, 1002, &json!({ "partner_id": 2 }));
    desk.partner = Some(1);
    let count = |desk: &mut Desk, path: &str| {
        let (_, body) = ask(desk, "GET", path, "");
        serde_json::from_str::<Vec<Value>>(&body).unwrap().len()
    };
    assert_eq!(count(&mut desk, "customers/customer"), 2);
    let services = "customers/customer/0/internet-services?main_attributes[status]=active";
    assert_eq!(count(&mut desk, services), 2);
    assert_eq!(count(&mut desk, "inventory/items"), 2);
    let (status, body) = ask(&mut desk, "GET", "customers/customer/1002", "");
    assert!(status == 405 && body.contains("NOT_ALLOWED_BY_PARTNER_RESTRICTION"));
}
