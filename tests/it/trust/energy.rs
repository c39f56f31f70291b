//! What a session is billed for, whatever registers say: dips, restarts, spikes, repeats and lost stops.
