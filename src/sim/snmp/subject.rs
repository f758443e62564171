//! An endpoint as the status tables see it: by its id where it is configured, by its MAC wherever it is seen or
//! configured.

use crate::domain::MacAddr;
use crate::sim::config::{Endpoint, Subscriber, presence};
use crate::sim::endpoint::{Plug, Presence};

use super::mib::{View, arcs, by_id, id, mac};

/// One endpoint.
pub(super) struct Subject<'v> {
    pub(super) mac: MacAddr,
    /// Id and line, where it is configured.
    pub(super) configured: Option<(u16, &'v Endpoint)>,
    /// Where it is seen.
    pub(super) plug: Option<&'v Plug>,
}

/// How a table's rows are indexed.
pub(super) trait Key {
    /// How many arcs the index has.
    const ARCS: usize;
    /// The first row behind this one.
    fn next(view: &View<'_>, after: &[u32]) -> Option<Vec<u32>>;
    /// The endpoint of a row.
    fn find<'v>(view: &'v View<'_>, index: &[u32]) -> Option<Subject<'v>>;
}

/// By endpoint id: those that are configured.
pub(super) struct ById;

impl Key for ById {
    const ARCS: usize = 1;

    fn next(view: &View<'_>, after: &[u32]) -> Option<Vec<u32>> {
        by_id(&view.state.running.endpoints, after)
    }

    fn find<'v>(view: &'v View<'_>, index: &[u32]) -> Option<Subject<'v>> {
        let id = id(index)?;
        let endpoint = view.state.running.endpoints.get(&id)?;
        Some(Subject {
            mac: endpoint.mac,
            configured: Some((id, endpoint)),
            plug: view.state.plugged.get(&endpoint.mac),
        })
    }
}

/// By MAC: also those that nobody configured.
pub(super) struct ByMac;

impl Key for ByMac {
    const ARCS: usize = 6;

    fn next(view: &View<'_>, after: &[u32]) -> Option<Vec<u32>> {
        let configured = view.state.running.endpoints.values().map(|endpoint| endpoint.mac);
        configured
            .chain(view.state.plugged.keys().copied())
            .map(arcs)
            .filter(|mac| mac.as_slice() > after)
            .min()
            .map(|mac| mac.to_vec())
    }

    fn find<'v>(view: &'v View<'_>, index: &[u32]) -> Option<Subject<'v>> {
        let mac = mac(index)?;
        let mut endpoints = view.state.running.endpoints.iter();
        let configured = endpoints.find(|(_, endpoint)| endpoint.mac == mac);
        let plug = view.state.plugged.get(&mac);
        (configured.is_some() || plug.is_some()).then(|| Subject {
            mac,
            configured: configured.map(|(id, endpoint)| (*id, endpoint)),
            plug,
        })
    }
}

/// Rows with an Ethernet port (1 and 2) behind the endpoint.
pub(super) fn next_with_port<K: Key>(view: &View<'_>, after: &[u32]) -> Option<Vec<u32>> {
    if after.len() >= K::ARCS {
        let (endpoint, port) = after.split_at(K::ARCS);
        // The endpoint itself may have gone since.
        if K::find(view, endpoint).is_some()
            && let Some(port) = super::mib::numbered(1, 2, port)
        {
            return Some([endpoint, &port].concat());
        }
        return K::next(view, endpoint).map(|row| [row.as_slice(), &[1]].concat());
    }
    K::next(view, after).map(|row| [row.as_slice(), &[1]].concat())
}

/// The endpoint and Ethernet port of such a row.
pub(super) fn find_with_port<'v, K: Key>(view: &'v View<'_>, index: &[u32]) -> Option<(Subject<'v>, u32)> {
    let (port, endpoint) = index.split_last()?;
    let subject = K::find(view, endpoint)?;
    (1..=2).contains(port).then_some((subject, *port))
}

impl<'v> Subject<'v> {
    /// What the device makes of it.
    pub(super) fn presence(&self, view: &View<'_>) -> Presence {
        match self.configured {
            Some((_, endpoint)) => presence(endpoint, &view.state.plugged),
            None => Presence::Unknown,
        }
    }

    /// Its subscriber, by id.
    pub(super) fn subscriber(&self, view: &'v View<'_>) -> Option<(u16, &'v Subscriber)> {
        let (endpoint, _) = self.configured?;
        let id = view.state.running.subscriber_of(endpoint)?;
        Some((id, view.state.running.subscribers.get(&id)?))
    }

    /// Whether its model has this Ethernet port and it is here to tell.
    pub(super) fn has_ethernet(&self, port: u32) -> bool {
        self.plug.is_some_and(|plug| port <= plug.model.ethernet_ports())
    }
}
