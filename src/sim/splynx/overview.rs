//! What a person sees on the screens of a simulated Splynx.

use super::super::billing::{Overview, OverviewService};
use super::query::{Row, text};
use super::world::{World, number};
use super::{Splynx, Table};

impl Splynx {
    /// All customers with their services and equipment, by id.
    #[must_use]
    pub fn overview(&self) -> Vec<Overview> {
        self.with(|desk, _| {
            let world = &desk.world;
            world
                .rows(Table::Customers)
                .map(|(id, row)| of(world, id, row))
                .collect()
        })
    }

    /// What is sold, by id.
    #[must_use]
    pub fn offers(&self) -> Vec<(u64, String)> {
        self.with(|desk, _| {
            let tariffs = desk.world.rows(Table::Tariffs);
            tariffs.map(|(id, row)| (id, said(row, "title"))).collect()
        })
    }
}

fn of(world: &World, id: u64, customer: &Row) -> Overview {
    let its = move |(_, row): &(u64, &Row)| number(row, "customer_id") == id;
    let service = |(id, row): (u64, &Row)| {
        let tariff = number(row, "tariff_id");
        let offer = world.row(Table::Tariffs, tariff).map(|row| said(row, "title"));
        OverviewService {
            id,
            offer: offer.unwrap_or_else(|| tariff.to_string()),
            status: Some(said(row, "status")),
        }
    };
    Overview {
        account: id,
        name: said(customer, "name"),
        status: said(customer, "status"),
        services: world.rows(Table::Services).filter(its).map(service).collect(),
        equipment: (world.rows(Table::Items).filter(its))
            .map(|(_, row)| said(row, "barcode"))
            .collect(),
    }
}

fn said(row: &Row, name: &str) -> String {
    row.get(name).map(text).unwrap_or_default()
}
