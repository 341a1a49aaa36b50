//! Numbered instances. A handle that is 0, free or invented finds nothing, instead of someone's memory. A freed
//! number is given out again: whoever frees an instance forgets its handle (the classes in TypeScript do).

pub struct Slots<T> {
    items: Vec<Option<T>>,
    /// The free ones among them, so that adding takes the same time whatever their number.
    free: Vec<u32>,
}

impl<T> Slots<T> {
    pub const fn new() -> Slots<T> {
        Slots { items: Vec::new(), free: Vec::new() }
    }

    /// Keeps `item` in a free slot. Returns its handle, from 1.
    pub fn add(&mut self, item: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.items[slot as usize] = Some(item);
            return slot + 1;
        }
        self.items.push(Some(item));
        self.items.len() as u32
    }

    pub fn get(&mut self, handle: u32) -> Option<&mut T> {
        self.items.get_mut((handle as usize).wrapping_sub(1))?.as_mut()
    }

    /// Drops the item. The last one takes the table with it.
    pub fn remove(&mut self, handle: u32) {
        let index = (handle as usize).wrapping_sub(1);
        if self.items.get_mut(index).and_then(Option::take).is_none() {
            return;
        }
        self.free.push(index as u32);
        if self.free.len() == self.items.len() {
            *self = Slots::new();
        }
    }
}
