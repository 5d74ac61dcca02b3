"""How long everything stays, what keeps it longer, and how it goes: holds, erasure, its proof, what is cleaned up."""
