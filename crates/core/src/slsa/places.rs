//! Where a statement says that its artifact is stored: address and store, as far as it
//! tells both. Whose bucket it is belongs to it: a name alone is a bucket in any store.

use serde_json::{Map, Value};

use super::{EXISTING_OBJECT_BUILD_TYPE, Provenance};
use crate::intoto::ResourceDescriptor;
use crate::store_address::StoreAddress;

/// The name of the by-product that holds the evidence of a stored object. Policies look
/// for it.
pub const STORED_OBJECT: &str = "stored-object";

/// The annotation of a [`STORED_OBJECT`] that says in which store it is.
const ENDPOINT: &str = "endpoint";
/// The annotation that says of which directory the object is one file.
const DIRECTORY: &str = "directory";

/// One place, in the statement's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredPlace<'a> {
    /// The artifact's address: that of its object, or of the directory of its objects.
    pub uri: &'a str,
    /// The store's own address; `None` where the statement does not tell.
    pub endpoint: Option<&'a str>,
}

impl Provenance {
    /// Every place that it names: by its evidence of stored objects, or as the object that
    /// it vouches for.
    pub fn places(&self) -> Vec<StoredPlace<'_>> {
        let evidence = self.run_details.byproducts.iter().filter(|b| b.name == STORED_OBJECT);
        let mut places: Vec<_> = evidence.map(StoredPlace::of).collect();
        let definition = &self.build_definition;
        if definition.build_type == EXISTING_OBJECT_BUILD_TYPE
            && let Some(object) = definition.external_parameters.get("object").and_then(Value::as_object)
        {
            places.push(StoredPlace {
                uri: text(object, "uri").unwrap_or_default(),
                endpoint: text(object, ENDPOINT),
            });
        }
        places
    }
}

impl<'a> StoredPlace<'a> {
    fn of(byproduct: &'a ResourceDescriptor) -> Self {
        let annotations = &byproduct.annotations;
        // One that is there and is no text is no address either, and so nobody's.
        let uri = match annotations.get(DIRECTORY) {
            Some(directory) => directory.as_str().unwrap_or_default(),
            None => &byproduct.uri,
        };
        Self { uri, endpoint: text(annotations, ENDPOINT) }
    }
}

/// Where an artifact is to be found, without evidence that it is there: nobody compared
/// anything, so there is no `check`.
pub fn place_byproduct(uri: &str, store: &StoreAddress) -> ResourceDescriptor {
    let annotations = Map::from_iter([(ENDPOINT.to_owned(), store.as_str().into())]);
    ResourceDescriptor { name: STORED_OBJECT.into(), uri: uri.to_owned(), annotations, ..Default::default() }
}

/// Says in `byproduct` in which store its object is, and of which directory it is a file.
pub fn annotate_place(
    byproduct: &mut ResourceDescriptor,
    store: Option<&StoreAddress>,
    directory: Option<&str>,
) {
    let said = [(ENDPOINT, store.map(StoreAddress::as_str)), (DIRECTORY, directory)];
    for (name, text) in said {
        if let Some(text) = text {
            byproduct.annotations.insert(name.to_owned(), text.into());
        }
    }
}

fn text<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    map.get(name)?.as_str().filter(|text| !text.is_empty())
}
