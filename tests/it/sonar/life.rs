//! An account from its beginning to its end, and the equipment that it leaves behind.

use gamops::sim::billing::SeedCustomer;
use serde_json::json;

use super::*;

#[test]
fn the_life_of_an_account() {
    let fake = start(&Seed::many(1));
    assert_eq!(standing(&fake, 1001, 5001).0, Standing::Active);
    fake.suspend(1001);
    let (found, words) = standing(&fake, 1001, 5001);
    assert_eq!(found, Standing::Suspended);
    assert_eq!(words, "account status Suspended, which does not activate");
    fake.activate(1001);
    fake.set_delinquent(1001, true);
    assert_eq!(standing(&fake, 1001, 5001).0, Standing::Delinquent);
    fake.set_delinquent(1001, false);
    // Another plan is another row with another id, and the account's own `updated_at` says nothing of it.
    let before = fake.value("Account", 1001, "updated_at");
    let service = fake.replace_service(5001, 2);
    assert_eq!(fake.value("Account", 1001, "updated_at"), before);
    let book = look(&fake, &[1001]).unwrap();
    assert_eq!(
        book.accounts["1001"].services.keys().collect::<Vec<_>>(),
        [&service.to_string()]
    );
    assert_eq!(clues(&book, service, "inventory.mac"), ["00:00:5E:00:53:00"]);
    let home = fake.addresses(1001)[0];
    fake.disconnect(1001);
    let (found, words) = standing(&fake, 1001, service);
    assert_eq!(found, Standing::Ended, "{words}");
    // Somebody else moves in and has the equipment that stayed.
    let mut next = SeedCustomer::number(6);
    next.services[0].mac = None;
    fake.add(&next);
    fake.move_in(1007, home);
    let book = sweep(&fake).unwrap();
    assert_eq!(clues(&book, 5007, "inventory.mac"), ["00:00:5E:00:53:00"]);
    assert_eq!(clues(&book, service, "inventory.mac"), [""; 0]);
    // Who comes back is active, whatever the log of disconnections says.
    fake.activate(1001);
    assert_eq!(standing(&fake, 1001, service).0, Standing::Active);
    fake.archive(1001);
    assert_eq!(standing(&fake, 1001, service).0, Standing::Ended);
    fake.add_lead(&SeedCustomer::number(7));
    assert_eq!(standing(&fake, 1008, 5008).0, Standing::Lead);
    fake.put_status(1008, 77);
    let (found, words) = standing(&fake, 1008, 5008);
    assert_eq!(found, Standing::Unclear);
    assert_eq!(words, "account status 77 is not in the list of statuses");
}

#[test]
fn a_service_that_is_sold_by_nobody_is_unclear() {
    let fake = start(&Seed::many(1));
    fake.set("AccountService", 5001, &[("service_id", json!(99))]);
    let (found, words) = standing(&fake, 1001, 5001);
    assert_eq!(
        (found, words.as_str()),
        (Standing::Unclear, "service 99 is not in the list of services")
    );
}

#[test]
fn an_old_link_does_not_take_equipment_from_who_lives_there() {
    let fake = start(&Seed::many(1));
    let home = fake.addresses(1001)[0];
    fake.add_item(home, Some(5001), "00:00:5E:00:53:77");
    // What is linked is what counts.
    let book = sweep(&fake).unwrap();
    assert_eq!(clues(&book, 5001, "inventory.mac"), ["00:00:5E:00:53:77"]);
    fake.disconnect(1001);
    // Nobody lives there: the link is all that is known.
    assert_eq!(
        clues(&sweep(&fake).unwrap(), 5001, "inventory.mac"),
        ["00:00:5E:00:53:77"]
    );
    let mut next = SeedCustomer::number(1);
    next.services[0].mac = None;
    fake.add(&next);
    fake.move_in(1002, home);
    for book in [sweep(&fake).unwrap(), look(&fake, &[1001, 1002]).unwrap()] {
        assert_eq!(clues(&book, 5001, "inventory.mac"), [""; 0]);
        assert_eq!(
            clues(&book, 5002, "inventory.mac"),
            ["00:00:5E:00:53:00", "00:00:5E:00:53:77"]
        );
    }
}
