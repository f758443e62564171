//! What a person sees on the screens of a simulated Sonar.

use serde_json::Value;

use super::super::billing::{Overview, OverviewService};
use super::Sonar;
use super::world::World;

impl Sonar {
    /// All accounts with their services and equipment, by id.
    #[must_use]
    pub fn overview(&self) -> Vec<Overview> {
        let world = &self.shared.desk().world;
        let accounts = world.tables.named("Account").above(0);
        accounts.map(|(id, _)| of(world, id)).collect()
    }

    /// What is sold, by id.
    #[must_use]
    pub fn offers(&self) -> Vec<(u64, String)> {
        let world = &self.shared.desk().world;
        let offers = world.tables.named("Service").above(0);
        offers.map(|(id, _)| (id, said(world, "Service", id, "name"))).collect()
    }

    /// Whether something has happened that nobody was told of.
    #[must_use]
    pub fn has_news(&self) -> bool {
        !self.shared.desk().world.outbox.is_empty()
    }

    /// What has happened so far is told to nobody.
    pub fn forget_news(&self) {
        self.world(|world| world.outbox.clear());
    }

    /// A service of an account goes, and that is told.
    pub fn end_service(&self, service: u64) {
        self.world(|world| {
            let account = id(world, "AccountService", service, "account_id");
            world.remove_service(service);
            world.tell("account.updated", account, account);
        });
    }
}

fn of(world: &World, account: u64) -> Overview {
    let service = |row: u64| OverviewService {
        id: row,
        offer: said(world, "Service", id(world, "AccountService", row, "service_id"), "name"),
        status: None,
    };
    let services = world.tables.ids("AccountService", "account_id", account);
    let items = world.homes(account).into_iter().flat_map(|home| {
        let items = world.tables.ids("InventoryItem", "inventoryitemable_id", home);
        let is_there = |item: &u64| said(world, "InventoryItem", *item, "inventoryitemable_type") == "Address";
        items.into_iter().filter(is_there)
    });
    let mac = |item: u64| {
        let fields = world.tables.ids("InventoryModelFieldData", "inventory_item_id", item);
        fields
            .first()
            .map(|field| said(world, "InventoryModelFieldData", *field, "value"))
    };
    Overview {
        account,
        name: said(world, "Account", account, "name"),
        status: said(
            world,
            "AccountStatus",
            id(world, "Account", account, "account_status_id"),
            "name",
        ),
        services: services.into_iter().map(service).collect(),
        equipment: items.filter_map(mac).collect(),
    }
}

fn id(world: &World, kind: &str, row: u64, column: &str) -> u64 {
    let value = world.tables.value(kind, row, column);
    value.and_then(Value::as_u64).unwrap_or_default()
}

fn said(world: &World, kind: &str, row: u64, column: &str) -> String {
    let value = world.tables.value(kind, row, column);
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}
