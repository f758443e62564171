//! A repository on this machine wakes the daemon by itself: no poll, no webhook.

use std::path::Path;

use crate::daemon::{Service, short};
use crate::fleet::SERVICES;

/// A service that polls once a week, which no test waits for; at another address where one is given.
fn without_poll(address: Option<&Path>) -> Service {
    let service = Service::new("");
    let mut text = std::fs::read_to_string(service.path())
        .unwrap()
        .replace("poll: 1s", "poll: 168h");
    if let Some(address) = address {
        let bare = service.origin.bare().to_string_lossy().into_owned();
        text = text.replace(&bare, &address.to_string_lossy());
    }
    std::fs::write(service.path(), text).unwrap();
    service
}

fn services(vlan: u16) -> String {
    SERVICES.replace("vlan: 101", &format!("vlan: {vlan}"))
}

#[test]
fn what_is_pushed_to_a_repository_here_is_in_force_at_once() {
    let service = without_poll(None);
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    let second = service.push_vlan(141);
    daemon.until_applied(&second);
    // The branch becomes a line in a file of many, and a file of its own again.
    let git = |arguments: &[&str]| {
        let bare = service.origin.bare();
        let bare = bare.to_string_lossy();
        service.origin.git(&[&["--git-dir", &bare], arguments].concat())
    };
    git(&["pack-refs", "--all"]);
    let third = service.push_vlan(142);
    daemon.until_applied(&third);

    // Gone, and back with something else.
    let (bare, aside) = (service.origin.bare(), service.origin.bare().with_extension("aside"));
    std::fs::rename(&bare, &aside).unwrap();
    daemon.until("gone", |status| !status["unreachable"].is_null());
    std::fs::rename(&aside, &bare).unwrap();
    daemon.until("back", |status| status["unreachable"].is_null());
    let fourth = service.push_vlan(143);
    daemon.until_applied(&fourth);
}

#[test]
fn a_commit_in_a_work_tree_is_in_force_at_once() {
    let service = without_poll(None);
    let text = std::fs::read_to_string(service.path()).unwrap();
    let bare = service.origin.bare().to_string_lossy().into_owned();
    let text = text.replace(&bare, &service.origin.work().to_string_lossy());
    std::fs::write(service.path(), text).unwrap();
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    service.origin.write("services.yaml", &services(144));
    service.origin.git(&["commit", "--quiet", "--all", "--message", "two"]);
    let second = short(&service.origin.git(&["rev-parse", "HEAD"]));
    daemon.until_applied(&second);
}

#[test]
fn a_folder_is_followed_at_once_also_where_files_and_the_folder_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("isp");
    let service = without_poll(Some(&root));
    let copy = |to: &Path| {
        std::fs::create_dir_all(to).unwrap();
        for name in ["gamops.yaml", "devices.yaml", "services.yaml"] {
            std::fs::copy(service.fleet.inventory().join(name), to.join(name)).unwrap();
        }
    };
    copy(&root);
    let daemon = service.start();
    daemon.until("in sync", |_| service.holds(101));
    // As editors do it.
    std::fs::write(root.join("services.yaml~"), services(145)).unwrap();
    std::fs::rename(root.join("services.yaml~"), root.join("services.yaml")).unwrap();
    daemon.until("replaced by a rename", |_| service.holds(145));

    std::fs::remove_dir_all(&root).unwrap();
    daemon.until("gone", |status| !status["unreachable"].is_null());
    copy(&root);
    daemon.until("back", |status| status["unreachable"].is_null() && service.holds(101));
    std::fs::write(root.join("services.yaml"), services(146)).unwrap();
    daemon.until("written in place", |_| service.holds(146));
}
