//! What is told of billing: by `gamops status`, to Prometheus, and to people; and what goes on meanwhile.

use super::*;

#[test]
fn a_mirror_that_cannot_be_opened_stops_billing_alone_and_nothing_that_was_told_is_lost() {
    let isp = Isp::new(BillingKind::Sonar, "");
    let mirror = isp.service.path().with_file_name("mirror.billing.git");
    std::fs::write(&mirror, "this is no folder").unwrap();
    let daemon = isp.launch(&[]);
    isp.until_in_force(&daemon, 1);
    let status = daemon.until("told why", |status| !isp.billed(status)["unwritten"].is_null());
    let reason = isp.billed(&status)["unwritten"]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("mirror.billing.git"), "{reason}");
    isp.does(|splynx| splynx.customer(1001).block(), |sonar| sonar.suspend(1001));
    daemon.until("something waits", |status| isp.billed(status)["waiting"] == 1);
    let _ = isp
        .service
        .run(&["status"])
        .expect(1)
        .says("Sonar: not looked at yet")
        .says("SONAR NOT WRITTEN since")
        .says("Sonar: 1 webhook to be looked at")
        .says("2 of 2 devices fine");
    std::fs::remove_file(&mirror).unwrap();
    isp.until_in_force(&daemon, 2);

    // It goes away while everything is well.
    std::fs::remove_dir_all(&mirror).unwrap();
    isp.does(|splynx| splynx.customer(1001).pay(), |sonar| sonar.activate(1001));
    isp.until_in_force(&daemon, 3);
    let status = daemon.until("well", |status| isp.billed(status)["unwritten"].is_null());
    assert_eq!(isp.billed(&status)["commits"], 2);
    assert_eq!(isp.billed(&status)["waiting"], 0);
    assert_eq!(isp.billed(&status)["knocks"]["recorded"], 2);
    let _ = isp
        .service
        .run(&["status"])
        .expect(0)
        .says("Sonar: 2 commits since the daemon began");
}
