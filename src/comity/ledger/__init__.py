"""The append-only record that proves itself. It stores ids, and knows no other room."""
