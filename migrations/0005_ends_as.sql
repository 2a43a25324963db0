-- How a deploy that is being undone will end: known before the undoing, and kept when that takes more than one try or one life of control.
ALTER TABLE deploys ADD COLUMN ends_as TEXT CHECK (ends_as IN ('failed', 'cancelled', 'superseded', 'interrupted'));
