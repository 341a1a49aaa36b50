//! Numbered instances. A handle that is 0, freed or invented finds nothing, instead of someone's memory.

pub struct Slots<T>(Vec<Option<T>>);

impl<T> Slots<T> {
    pub const fn new() -> Slots<T> {
        Slots(Vec::new())
    }

    /// Keeps `item` in the first free slot. Returns its handle, from 1.
    pub fn add(&mut self, item: T) -> u32 {
        let free = self.0.iter().position(Option::is_none).unwrap_or_else(|| {
            self.0.push(None);
            self.0.len() - 1
        });
        self.0[free] = Some(item);
        free as u32 + 1
    }

    pub fn get(&mut self, handle: u32) -> Option<&mut T> {
        self.0.get_mut((handle as usize).wrapping_sub(1))?.as_mut()
    }

    pub fn remove(&mut self, handle: u32) {
        if let Some(slot) = self.0.get_mut((handle as usize).wrapping_sub(1)) {
            *slot = None;
        }
    }
}
