//! Whom simulated billing systems tell that something has happened.

use std::sync::Arc;
use std::time::Duration;

use crate::sim::sonar::Sonar;
use crate::sim::splynx::{Call, Splynx, Target};

/// What Splynx signs its webhooks with; Sonar has it at the end of the address that it calls.
pub const HOOK_SECRET: &str = "simulated-hook-0001";

/// How often it is looked whether there is something to tell.
const PAUSE: Duration = Duration::from_millis(200);

/// How long after a webhook that nobody took it is sent again.
const AGAIN: Duration = Duration::from_secs(1);

/// Tells the daemon whose pages are at this address, for ever.
pub(super) async fn for_splynx(splynx: Arc<Splynx>, daemon: String) {
    let target = Target {
        url: format!("{daemon}/billing/splynx"),
        secret: HOOK_SECRET.to_owned(),
        is_form: false,
    };
    splynx.hook(target.clone());
    loop {
        tokio::time::sleep(PAUSE).await;
        for call in splynx.undelivered() {
            tell_again(&call, &target).await;
        }
    }
}

/// Tells it until somebody answers.
async fn tell_again(call: &Call, target: &Target) {
    loop {
        match call.send(target).await {
            Ok(200..=299) => return,
            Ok(status @ 400..=499) => return not_taken(status),
            Ok(_) | Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// Tells the daemon whose pages are at this address, for ever.
pub(super) async fn for_sonar(sonar: Arc<Sonar>, daemon: String) {
    let url = format!("{daemon}/billing/sonar/{HOOK_SECRET}");
    loop {
        tokio::time::sleep(PAUSE).await;
        if !sonar.has_news() {
            continue;
        }
        // What nobody took is news again.
        let refused = match sonar.tell(&url).await {
            Ok(said) => said.into_iter().find(|status| *status != 200),
            Err(_) => None,
        };
        if let Some(status) = refused {
            not_taken(status);
        }
        if sonar.has_news() {
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Says that somebody is there who does not want to be told.
fn not_taken(status: u16) {
    tracing::warn!(
        "a webhook was answered with status {status}: do the daemon's settings have the system with `webhook`, and its environment the secret?"
    );
}
