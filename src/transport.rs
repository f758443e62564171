//! SSH and SNMP: moves bytes, with deadlines. Knows nothing of inventories and plans.
