"""From files and tables to rows that can be trusted: tables, groups, splits, audits and pixels."""
