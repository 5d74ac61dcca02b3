"""Consents as records that others read: ISO/IEC TS 27560, FHIR, IAB GPP."""
