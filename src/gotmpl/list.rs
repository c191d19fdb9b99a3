//! Go's slices as templates see them: a sequence with an element type.
//!
//! No function of Helm changes a slice in place, so a list never changes once made and iterating needs no guard.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use super::{IntKind, Val};

/// The Go type of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(dead_code, reason = "a type that Go has; naming and converting it is complete, whoever makes one")]
pub enum ListType {
    /// `[]interface {}`.
    Any,
    /// `[]string`.
    Str,
    /// `[]int`.
    Int,
    /// `[]int64`.
    Int64,
    /// `[]float64`.
    Float,
    /// `[]uint8`.
    Bytes,
    /// `[]map[string]interface {}`.
    Map,
    /// `[][]interface {}`.
    List,
}

impl ListType {
    /// The type as `%T` prints it.
    pub fn name(self) -> &'static str {
        match self {
            ListType::Any => "[]interface {}",
            ListType::Str => "[]string",
            ListType::Int => "[]int",
            ListType::Int64 => "[]int64",
            ListType::Float => "[]float64",
            ListType::Bytes => "[]uint8",
            ListType::Map => "[]map[string]interface {}",
            ListType::List => "[][]interface {}",
        }
    }
}

/// A shared, immutable list; cloning is an alias. Dereferences to its items.
#[derive(Clone, Debug)]
pub struct List(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    ty: ListType,
    /// Made from `bytes` once somebody looks at them.
    items: OnceCell<Vec<Val>>,
    bytes: Option<Arc<[u8]>>,
    nil: bool,
}

impl List {
    /// A list of `[]interface {}`.
    pub fn new(items: Vec<Val>) -> List {
        List::typed(ListType::Any, items)
    }

    /// A list of another Go type; the caller answers for the items being of it.
    pub fn typed(ty: ListType, items: Vec<Val>) -> List {
        List(Rc::new(Inner { ty, items: OnceCell::from(items), bytes: None, nil: false }))
    }

    /// A `[]byte` of these. Templates seldom look at its items, and each is as large as any value.
    pub fn of_bytes(bytes: Arc<[u8]>) -> List {
        List(Rc::new(Inner { ty: ListType::Bytes, items: OnceCell::new(), bytes: Some(bytes), nil: false }))
    }

    /// The bytes of a `[]byte`, also of one that was made item by item.
    pub fn to_bytes(&self) -> Cow<'_, [u8]> {
        let byte = |item: &Val| if let Val::Int(byte, _) = item { *byte as u8 } else { 0 };
        match &self.0.bytes {
            Some(bytes) => Cow::Borrowed(bytes),
            None => self.iter().map(byte).collect(),
        }
    }

    /// Go's nil slice of a type: empty, and null where it is printed as JSON.
    pub fn nil(ty: ListType) -> List {
        List(Rc::new(Inner { ty, items: OnceCell::from(Vec::new()), bytes: None, nil: true }))
    }

    /// True for a nil slice.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// Its Go type.
    pub fn ty(&self) -> ListType {
        self.0.ty
    }

    /// The items.
    pub fn items(&self) -> &[Val] {
        self.0.items.get_or_init(|| {
            let byte = |byte: &u8| Val::Int(i64::from(*byte), IntKind::Uint8);
            self.0.bytes.iter().flat_map(|bytes| bytes.iter().map(byte)).collect()
        })
    }

    /// The items, if nothing else holds the list; nothing otherwise.
    pub(super) fn into_unshared(mut self) -> Vec<Val> {
        Rc::get_mut(&mut self.0).and_then(|inner| inner.items.take()).unwrap_or_default()
    }

    /// True when both are the same list, not merely equal ones.
    pub fn same(&self, other: &List) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for List {
    type Target = [Val];

    fn deref(&self) -> &[Val] {
        self.items()
    }
}

impl Drop for Inner {
    /// Takes nested containers apart without recursion, so that a list nested a million deep does not end the process.
    fn drop(&mut self) {
        super::map::drop_flat(self.items.take().unwrap_or_default());
    }
}
