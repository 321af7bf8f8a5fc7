//! Which addresses lead to one store, and which stores are which.

use crate::store_address::StoreAddress;

/// A store that the policy knows by a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownStore {
    /// What the policy calls it.
    pub name: String,
    /// Under which addresses it is reached.
    pub addresses: Vec<StoreAddress>,
}

/// All that the policy knows.
#[derive(Debug, Clone, Default)]
pub struct Stores(Vec<KnownStore>);

impl Stores {
    /// These stores. An address that two of them have would make them one.
    pub fn new(stores: Vec<KnownStore>) -> Self {
        Self(stores)
    }

    /// Whether two addresses lead to one store: they are the same, or the policy says so.
    pub fn are_one(&self, a: &StoreAddress, b: &StoreAddress) -> bool {
        a == b || self.0.iter().any(|store| store.addresses.contains(a) && store.addresses.contains(b))
    }

    /// Whether this is the address of a store of that name.
    pub fn is(&self, name: &str, address: &StoreAddress) -> bool {
        self.0.iter().any(|store| store.name == name && store.addresses.contains(address))
    }

    /// Whether there is a store of that name.
    pub fn knows(&self, name: &str) -> bool {
        self.0.iter().any(|store| store.name == name)
    }
}
