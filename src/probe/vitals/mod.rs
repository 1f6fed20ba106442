//! What a look at a machine comes to: text of its kernel and tools in, vitals and a verdict out. Pure: who fetched the text, and
//! how, is the business of `linux`, `windows` and `local`.

pub mod judge;
pub mod kernel;
pub mod limits;
pub mod linux;
pub mod packages;
pub mod sections;
pub mod storage;
pub mod system;
pub mod updates;
pub mod windows;
