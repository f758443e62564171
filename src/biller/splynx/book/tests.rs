use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

const TODAY: Date = jiff::civil::date(2025, 6, 15);

fn read<T: DeserializeOwned>(rows: Value) -> Vec<T> {
    serde_json::from_value(rows).unwrap()
}

fn rows(services: Value, items: Value) -> Rows {
    Rows {
        tariffs: read(json!([{ "id": 7, "title": "Fiber 500", "speed_download": 500_000, "speed_upload": "0" }])),
        customers: read(json!([
            { "id": 1001, "status": "active", "name": "Ada Example", "partner_id": 1, "location_id": 3, "street_1": "12 Elm St",
              "city": "Charleston", "customer_labels": [{ "id": 2, "label": "MDU" }], "additional_attributes": { "unit": "4" } },
            { "id": 1002, "status": "active", "name": "Bob Example", "location_id": 99 },
        ])),
        services: read(services),
        items: read(items),
        locations: read(json!([{ "id": 3, "name": "Harbour" }])),
        partners: read(json!([{ "id": 1, "name": "Main" }])),
        hardware: read(json!([{ "id": 12, "title": "mdu-7", "network_site_id": 4 }])),
        network_sites: read(json!([{ "id": 4, "title": "Elm Street" }])),
    }
}

/// The clues of a service, `source text`.
fn clues_of(rows: &Rows, account: &str, service: &str) -> Vec<String> {
    let accounts = accounts(rows, TODAY);
    let clues = &accounts[account].services[service].clues;
    clues
        .iter()
        .map(|clue| format!("{} {}", clue.source, clue.text))
        .collect()
}

#[test]
fn rows_are_joined() {
    let services = json!([{
        "id": 5001, "customer_id": 1001, "tariff_id": 7, "status": "active", "login": "c1001_1", "mac": "00:00:5E:00:53:01, 00005E005302",
        "port_id": 3, "access_device": 12, "additional_attributes": { "gam_port": "3" },
    }]);
    let items = json!([{ "id": 1, "customer_id": 1001, "service_id": 5001, "status": "rent", "barcode": "00005E005303", "serial_number": "S1" }]);
    let rows = rows(services, items);
    insta::assert_debug_snapshot!((offers(&rows.tariffs), accounts(&rows, TODAY)));
    assert!(!rows.lacks_a_tariff());
    assert!(rows.missing_customers().is_empty());
}

#[test]
fn what_nobody_filled_in_is_no_rate() {
    let tariffs = read(json!([
        { "id": 1, "title": "a", "speed_download": "", "speed_upload": null },
        { "id": 2, "title": "b", "speed_download": "fast", "speed_upload": -1 },
        { "id": 3, "title": "c", "speed_download": "102400", "speed_upload": 102_400 },
    ]));
    let rates: Vec<_> = offers(&tariffs)
        .into_values()
        .map(|offer| (offer.down_kbps, offer.up_kbps))
        .collect();
    assert_eq!(rates, [(None, None), (None, None), (Some(102_400), Some(102_400))]);
}

#[test]
fn equipment_goes_to_its_service_else_to_the_customers() {
    let services = json!([
        { "id": 1, "customer_id": 1001, "status": "active" },
        { "id": 2, "customer_id": 1001, "status": "active" },
        { "id": 3, "customer_id": 1002, "status": "active" },
    ]);
    let items = json!([
        { "id": 1, "customer_id": 1001, "service_id": 1, "barcode": "own" },
        { "id": 2, "customer_id": 1001, "service_id": 0, "barcode": "shared" },
        { "id": 3, "customer_id": 1001, "status": "returned", "barcode": "came back" },
        // Of a service of somebody else: it is its customer's.
        { "id": 4, "customer_id": 1002, "service_id": 2, "barcode": "crossed" },
    ]);
    let rows = rows(services, items);
    assert_eq!(
        clues_of(&rows, "1001", "1"),
        ["inventory.barcode own", "account.field.unit 4"]
    );
    assert_eq!(
        clues_of(&rows, "1001", "2"),
        ["inventory.barcode shared", "account.field.unit 4"]
    );
    assert_eq!(clues_of(&rows, "1002", "3"), ["inventory.barcode crossed"]);
}

#[test]
fn a_service_that_takes_the_place_of_another_has_its_equipment() {
    // A change of plan: the old one is over, and the item is still linked to it.
    let services = json!([
        { "id": 1, "customer_id": 1001, "status": "disabled", "end_date": "2025-06-14" },
        { "id": 2, "customer_id": 1001, "status": "active", "start_date": "2025-06-15" },
    ]);
    let items = json!([{ "id": 1, "customer_id": 1001, "service_id": 1, "barcode": "00005E005301" }]);
    let rows = rows(services, items);
    for service in ["1", "2"] {
        assert_eq!(clues_of(&rows, "1001", service)[0], "inventory.barcode 00005E005301");
    }
}

#[test]
fn a_service_without_its_customer_is_kept_and_unclear() {
    let rows = rows(
        json!([{ "id": 9, "customer_id": 777, "tariff_id": 8, "status": "active" }]),
        json!([]),
    );
    assert_eq!(rows.missing_customers(), [777]);
    assert!(rows.lacks_a_tariff());
    let accounts = accounts(&rows, TODAY);
    let service = &accounts["777"].services["9"];
    assert_eq!(service.standing, Standing::Unclear);
    assert_eq!(service.words, "customer missing, service active");
    assert_eq!(service.offer.as_deref(), Some("8"));
    // Customers without a service are accounts, too.
    assert!(accounts["1001"].services.is_empty());
}
