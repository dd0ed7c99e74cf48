//! Models that others wrote, real ones and faulty ones, over loopback: whatever they answer, nobody is shown what the rules have
//! not passed. Must not reach anything beyond this machine.

mod aimock;
mod asking;
mod canary;
mod jevcompat;
mod lives;
mod llm;
mod llmock;
mod peer;
mod relay;
mod sparrow;
mod unmasked;
