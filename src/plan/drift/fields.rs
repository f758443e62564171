//! Single fields of objects: which differ, and how one becomes that of another object.

use crate::domain::PortBinding;
use crate::inventory::drift::Field;
use crate::observed::Object;

macro_rules! table {
    ($( $kind:ident { $( $field:ident: $($part:ident)&+; )+ } )+) => {
        /// Whether a field is the same in two objects of one kind. A field that the kind does not have is.
        pub(super) fn is_same(field: Field, one: &Object, other: &Object) -> bool {
            match (one, other) {
                (Object::System(one), Object::System(other)) => field != Field::Hostname || one == other,
                $( (Object::$kind(one), Object::$kind(other)) => match field {
                    $( Field::$field => $( one.$part == other.$part )&&+, )+
                    _ => true,
                }, )+
                _ => true,
            }
        }

        /// Makes a field of an object what it is in another one of its kind.
        pub(super) fn put(field: Field, into: &mut Object, from: &Object) {
            match (into, from) {
                (Object::System(into), Object::System(from)) if field == Field::Hostname => into.clone_from(from),
                $( (Object::$kind(into), Object::$kind(from)) => match field {
                    $( Field::$field => { $( into.$part.clone_from(&from.$part); )+ } )+
                    _ => {}
                }, )+
                _ => {}
            }
        }
    };
}

table! {
    Port {
        Name: name;
        Mode: mode;
        Shutdown: shutdown;
    }
    Profile {
        Name: name;
        Description: description;
        Rate: down & up;
        ServiceLimitLevel: service_limit_level;
    }
    Endpoint {
        Name: name;
        Description: description;
        Endpoint: mac;
        Port: port;
        ManagementAccess: management_access;
    }
    Subscriber {
        Name: name;
        Description: description;
        Endpoint: endpoint;
        Port: port;
        Vlan: vlan;
        Tagged: tagged;
        RemappedVlan: remapped_vlan;
        Plan: profile;
        AllowedVlans: allowed_vlans;
        Port2Vlan: port2_vlan;
        Trunk: trunk;
        DoubleTag: double_tag;
        Poe: poe;
    }
}

/// The fields that somebody changed on the device, and of which the inventory asks what it asked when they were applied. Where
/// the device is to find an endpoint's port by itself, whichever it has found is no drift.
pub(super) fn drifted<'o>(
    applied: &'o Object,
    wish: &'o Object,
    held: &'o Object,
) -> impl Iterator<Item = Field> + use<'o> {
    let fields = Field::ALL.iter().copied();
    let is_found = matches!(wish, Object::Endpoint(wish) if wish.port == PortBinding::Auto);
    fields.filter(move |field| {
        !is_same(*field, held, applied) && is_same(*field, wish, applied) && !(is_found && *field == Field::Port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::{DeviceConfig, Endpoint, Port, Profile, Subscriber};

    /// What plans show of an object and no field of the inventory stands for.
    const NOT_SETTINGS: [&str; 1] = ["other words"];

    #[test]
    fn every_field_that_plans_show_can_drift_by_itself() {
        let config = DeviceConfig::default();
        let objects = [
            Object::System(String::new()),
            Object::Port(Port::default()),
            Object::Profile(Profile::default()),
            Object::Endpoint(Endpoint::default()),
            Object::Subscriber(Box::default()),
        ];
        for object in &objects {
            for (shown, _) in object.fields(&config) {
                let stand_for = Field::ALL.iter().filter(|field| field.shown().contains(&shown)).count();
                assert_eq!(stand_for, usize::from(!NOT_SETTINGS.contains(&shown)), "{shown}");
            }
        }
    }

    #[test]
    fn what_is_put_back_is_the_same_and_nothing_else_changed() {
        let held = Object::Subscriber(Box::new(Subscriber {
            name: "by hand".to_owned(),
            tagged: true,
            trunk: true,
            ..Subscriber::default()
        }));
        let applied = Object::Subscriber(Box::default());
        let fields: Vec<Field> = drifted(&applied, &applied, &held).collect();
        assert_eq!(fields, [Field::Name, Field::Tagged, Field::Trunk]);
        let mut target = applied.clone();
        for field in fields {
            put(field, &mut target, &held);
        }
        assert_eq!(target, held);
    }
}
