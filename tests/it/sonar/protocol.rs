//! Whether the simulated Sonar answers as the real one is known to.

use gamops::transport::http::{Http, Method, Request};
use serde_json::{Value, json};

use super::*;

/// What is answered to a query: the status, and the body.
fn ask(fake: &Fake, query: &str, variables: Value) -> Value {
    let http = Http::new(None).unwrap();
    let request = Request {
        method: Method::Post,
        url: format!("{}/api/graphql", fake.url()),
        called: None,
        headers: vec![("Content-Type".into(), "application/json".to_owned())],
        token: Some(("Authorization", Secret::new(format!("Bearer {TOKEN}")))),
        basic: None,
        body: json!({ "query": query, "variables": variables })
            .to_string()
            .into_bytes(),
    };
    on(async {
        let mut reply = http.send(request).await.unwrap();
        assert_eq!(reply.status(), 200);
        serde_json::from_slice(&reply.body(1 << 24).await.unwrap()).unwrap()
    })
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    let entities = list["entities"].as_array().unwrap().iter();
    entities.map(|entity| entity["id"].as_str().unwrap()).collect()
}

#[test]
fn the_example_of_the_reference_is_answered_like_there() {
    let fake = start(&Seed::default());
    let query = "query($p: Paginator){account_statuses(paginator:$p){page_info{page total_pages total_count records_per_page} \
                 entities{id name activates_account}}}";
    let answer = ask(&fake, query, json!({ "p": { "page": 1, "records_per_page": 2 } }));
    let info = json!({ "page": 1, "total_pages": 3, "total_count": 5, "records_per_page": 2 });
    let entities = json!([
        { "id": "1", "name": "Active", "activates_account": true },
        { "id": "2", "name": "Inactive", "activates_account": false },
    ]);
    assert_eq!(
        answer,
        json!({ "data": { "account_statuses": { "page_info": info, "entities": entities } } })
    );
}

#[test]
fn a_query_that_the_schema_does_not_know_is_refused_with_status_200() {
    let fake = start(&Seed::default());
    for (query, wrong) in [
        (
            "{ accounts { entities { id plan } } }",
            "Cannot query field \"plan\" on type \"Account\".",
        ),
        (
            "{ customers { entities { id } } }",
            "Cannot query field \"customers\" on type \"Query\".",
        ),
        (
            "{ accounts(limit: 5) { entities { id } } }",
            "Unknown argument \"limit\" on field \"accounts\".",
        ),
        (
            "{ services(type: INTERNET) { entities { id } } }",
            "has an invalid value",
        ),
        (
            "{ accounts(id: $id) { entities { id } } }",
            "Variable \"$id\" is not defined.",
        ),
        (
            "query($id: Number) { accounts(id: $id) { entities { id } } }",
            "Unknown type \"Number\".",
        ),
        (
            "{ accounts { id } }",
            "Cannot query field \"id\" on type \"AccountConnection\".",
        ),
        (
            "{ accounts { entities { account_status } } }",
            "must have a selection of subfields",
        ),
        (
            "{ accounts(search: [{integer_fields: [{attribute: \"plan\", search_value: 1, operator: EQ}]}]) { entities { id } } }",
            "Attribute plan is not one of Account.",
        ),
        ("{ accounts {", "Syntax Error"),
    ] {
        let answer = ask(&fake, query, json!({}));
        let said = answer["errors"][0]["message"].as_str().unwrap();
        assert!(said.contains(wrong), "{query}: {said}");
        assert!(answer.get("data").is_none());
    }
}

#[test]
fn nested_lists_are_paged_with_arguments_of_their_own() {
    let fake = start(&Seed::many(1));
    let home = fake.addresses(1001)[0];
    for number in 0..12 {
        fake.add_item(home, None, &format!("item {number}"));
    }
    let query = "query($id: Int64Bit) { a: accounts(id: $id) { entities { __typename id \
        addresses(type: PHYSICAL) { entities { small: inventory_items { page_info { total_count } entities { id } } \
        second: inventory_items(paginator: {page: 2, records_per_page: 5}, sorter: [{attribute: \"id\", direction: DESC}]) \
        { page_info { page total_pages } entities { id } } } } \
        none: addresses(type: MAILING) { entities { id } } \
        account_status { name } } } }";
    let answer = ask(&fake, query, json!({ "id": "1001" }));
    let account = &answer["data"]["a"]["entities"][0];
    assert_eq!(
        (account["__typename"].as_str(), account["id"].as_str()),
        (Some("Account"), Some("1001"))
    );
    let address = &account["addresses"]["entities"][0];
    // As many as a page has for which nothing is said, without a word.
    assert_eq!(number(&address["small"]["page_info"]["total_count"]), 13);
    assert_eq!(ids(&address["small"]).len(), 10);
    assert_eq!(ids(&address["second"]), ["8", "7", "6", "5", "4"]);
    assert_eq!(number(&address["second"]["page_info"]["total_pages"]), 3);
    assert_eq!(ids(&account["none"]), [""; 0]);
    assert_eq!(account["account_status"]["name"], "Active");
}

#[test]
fn searches_and_filters_mean_what_clients_in_the_field_take_them_for() {
    let fake = start(&Seed::many(5));
    fake.suspend(1002);
    fake.archive(1005);
    fake.replace_service(5003, 2);
    fake.remove_service(5004);
    let accounts = |arguments: &str| {
        let answer = ask(
            &fake,
            &format!("{{ accounts({arguments}) {{ entities {{ id }} }} }}"),
            json!({}),
        );
        let found = ids(&answer["data"]["accounts"]).join(" ");
        assert!(answer.get("errors").is_none(), "{answer}");
        found
    };
    assert_eq!(accounts("account_status_id: 1"), "1001 1003 1004");
    assert_eq!(
        accounts("account_status_id: \"1\", include_archived: true"),
        "1001 1003 1004 1005"
    );
    let is = |attribute: &str, operator: &str, value: u64| {
        format!("{{attribute: \"{attribute}\", operator: {operator}, search_value: {value}}}")
    };
    let either = format!(
        "{{integer_fields: [{}]}}, {{integer_fields: [{}]}}",
        is("id", "EQ", 1001),
        is("id", "GTE", 1004)
    );
    assert_eq!(accounts(&format!("search: [{either}]")), "1001 1004");
    let both = format!(
        "{{integer_fields: [{}, {}]}}",
        is("id", "GT", 1001),
        is("account_status_id", "EQ", 1)
    );
    assert_eq!(accounts(&format!("search: [{both}]")), "1003 1004");
    let contradiction = format!(
        "search: [{{integer_fields: [{}, {}]}}]",
        is("id", "EQ", 1001),
        is("id", "EQ", 1003)
    );
    assert_eq!(accounts(&contradiction), "");
    fake.turn(|knobs| knobs.several_eq_are_or = true);
    assert_eq!(accounts(&contradiction), "1001 1003");
    fake.turn(|knobs| knobs.several_eq_are_or = false);
    let text = "search: [{string_fields: [{attribute: \"name\", match: true, partial_matching: true, search_value: \"MER 3\"}]}]";
    assert_eq!(accounts(text), "1003");
    assert_eq!(
        accounts("include_archived: true, search: [{exists: [\"archived_at\"]}]"),
        "1005"
    );
    let data = "relation: \"account_services.service\", search: [{string_fields: [{attribute: \"type\", match: true, search_value: \"DATA\"}]}]";
    assert_eq!(
        accounts(&format!("reverse_relation_filters: [{{{data}}}]")),
        "1001 1002 1003"
    );
    assert_eq!(
        accounts("reverse_relation_filters: [{relation: \"account_services\", is_empty: true}]"),
        "1004"
    );
    let group = format!("{{{data}, group: \"1\"}}, {{relation: \"account_services\", is_empty: true, group: \"2\"}}");
    assert_eq!(
        accounts(&format!("reverse_relation_filters: [{group}]")),
        "1001 1002 1003 1004"
    );
    // A row to which a relation leads and that does not fit is not there.
    let answer = ask(
        &fake,
        "{ account_services { entities { id service(enabled: false) { id } } } }",
        json!({}),
    );
    assert_eq!(
        answer["data"]["account_services"]["entities"][0]["service"],
        Value::Null
    );
}

#[test]
fn a_page_is_cut_to_the_most_that_there_is() {
    let fake = start(&Seed::many(3));
    fake.turn(|knobs| knobs.most_rows = 2);
    let query = "{ accounts(paginator: {page: 1, records_per_page: 10000}) { page_info { records_per_page total_pages } entities { id } } }";
    let list = ask(&fake, query, json!({}))["data"]["accounts"].take();
    assert_eq!(
        (ids(&list).len(), number(&list["page_info"]["records_per_page"])),
        (2, 2)
    );
    fake.turn(|knobs| knobs.says_clamped = false);
    let list = ask(&fake, query, json!({}))["data"]["accounts"].take();
    assert_eq!(
        (ids(&list).len(), number(&list["page_info"]["records_per_page"])),
        (2, 10000)
    );
}

#[test]
fn mutations_do_what_they_say_or_say_why_not() {
    let fake = start(&Seed::many(1));
    let note = |input: Value| {
        let query = "mutation Note($input: CreateNoteMutationInput) { createNote(input: $input) { id created_at } }";
        ask(&fake, query, json!({ "input": input }))
    };
    let input = json!({ "message": "Hello", "noteable_type": "Account", "noteable_id": 1001, "priority": "NORMAL" });
    let written = note(input.clone());
    assert_eq!(written["data"]["createNote"]["created_at"], "2026-03-01T09:00:00+00:00");
    for (field, value) in [
        ("noteable_type", json!("Address")),
        ("noteable_id", json!(7)),
        ("priority", json!("LOUD")),
        ("message", json!("")),
        ("mood", json!("good")),
    ] {
        let mut wrong = input.clone();
        wrong[field] = value;
        assert!(note(wrong)["errors"][0]["message"].is_string(), "{field}");
    }
    assert_eq!(fake.notes(1001), ["Hello"]);
    let done = |query: &str, variables: Value| {
        let answer = ask(&fake, query, variables);
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    };
    fake.write_field("Account", 1001, "GAM port", "1");
    let account = "mutation($id: Int64Bit, $input: UpdateAccountMutationInput) { updateAccount(id: $id, input: $input) \
        { account_status { name } custom_field_data { entities { value } } notes { page_info { total_count } } } }";
    let input = json!({
        "account_status_id": "5",
        "custom_field_data": [{ "custom_field_id": 1, "value": "2" }],
        "note": { "message": "Moved", "priority": "NORMAL" },
    });
    assert_eq!(
        done(account, json!({ "id": 1001, "input": input }))["updateAccount"],
        json!({
            "account_status": { "name": "Suspended" },
            "custom_field_data": { "entities": [{ "value": "2" }] },
            "notes": { "page_info": { "total_count": 2 } },
        })
    );
    let item = "mutation($input: UpdateInventoryItemFieldsMutationInput) { updateInventoryItemFields(id: 1, input: $input) \
        { inventory_model_field_data(inventory_model_field_id: 21) { entities { value } } } }";
    let input = json!({ "fields": [{ "inventory_model_field_id": 21, "value": "00:00:5E:00:53:FF" }] });
    let fields = &done(item, json!({ "input": input }))["updateInventoryItemFields"]["inventory_model_field_data"];
    assert_eq!(fields["entities"], json!([{ "value": "00:00:5E:00:53:FF" }]));
    let ticket =
        "mutation($input: CreateInternalTicketMutationInput) { createInternalTicket(input: $input) { id subject } }";
    let input = json!({
        "subject": "Two MACs",
        "description": "Which?",
        "status": "OPEN",
        "priority": "LOW",
        "ticketable_type": "Account",
        "ticketable_id": 1001,
    });
    let opened = &done(ticket, json!({ "input": input }))["createInternalTicket"];
    assert_eq!(*opened, json!({ "id": "1", "subject": "Two MACs" }));
    let gone = done("mutation { deleteNote(id: 1) { success } }", json!({}));
    assert_eq!(gone["deleteNote"], json!({ "success": true }));
    assert_eq!(fake.notes(1001), ["Moved"]);
}
