"""What comes back, acted on: bounces shut addresses, complaints and STOP are a no, answers are kept with the person."""
