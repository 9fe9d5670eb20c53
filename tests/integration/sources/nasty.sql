-- A schema as no tool likes it. {parent} is a name of 64 characters, {wide} 100 columns.
CREATE TABLE `a;DROP TABLE x` (
  `order` INT NOT NULL, `a.b` VARCHAR(20), `a b` VARCHAR(20), a_b VARCHAR(20), `x``y` INT, `100%` DECIMAL(5,2), `%s` INT,
  `it's` INT, `say "hi"` INT, `what?` INT, `❤` VARCHAR(10), `Größe` INT, `_run_id` INT, `SELECT` DATETIME(6),
  PRIMARY KEY (`order`)
) COMMENT 'Little Bobby''s
table';
INSERT INTO `a;DROP TABLE x` VALUES
  (1, 'dot', 'space', 'line', 5, 99.95, -1, 2, 3, 4, '❤', 180, 9, '2026-01-02 03:04:05.678901'),
  (2, '', NULL, ' ', NULL, 0.00, NULL, NULL, NULL, NULL, 'x\ny', NULL, NULL, NULL);
CREATE TABLE Orders (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, what VARCHAR(20));
INSERT INTO Orders VALUES (1, 'upper'), (18446744073709551615, 'the last');
CREATE TABLE orders (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, what VARCHAR(20));
INSERT INTO orders VALUES (1, 'lower');
CREATE TABLE `no key` (a INT, b VARCHAR(20));
INSERT INTO `no key` VALUES (1, 'twice'), (1, 'twice'), (NULL, NULL), (NULL, NULL), (2, 'once');
CREATE TABLE `pairs%` (a INT NOT NULL, b VARCHAR(20) NOT NULL, n INT, moved TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), PRIMARY KEY (a, b));
INSERT INTO `pairs%` (a, b, n) VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3);
CREATE TABLE of_pairs (id INT NOT NULL PRIMARY KEY, a INT, b VARCHAR(20), FOREIGN KEY (a, b) REFERENCES `pairs%` (a, b));
INSERT INTO of_pairs VALUES (1, 1, 'y'), (2, NULL, 'z');
CREATE TABLE words (word VARCHAR(20) NOT NULL PRIMARY KEY, n INT) COLLATE utf8mb4_general_ci;
INSERT INTO words VALUES ('Word', 1), ('Größe', 2), ('', 3), ('trailing ', 4);
CREATE TABLE of_words (id INT NOT NULL PRIMARY KEY, word VARCHAR(20), FOREIGN KEY (word) REFERENCES words (word)) COLLATE utf8mb4_general_ci;
INSERT INTO of_words VALUES (1, 'word'), (2, 'trailing');
CREATE TABLE tree (id INT NOT NULL PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES tree (id));
INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 3);
CREATE TABLE hen (id INT NOT NULL PRIMARY KEY, egg INT);
CREATE TABLE egg (id INT NOT NULL PRIMARY KEY, hen INT, FOREIGN KEY (hen) REFERENCES hen (id));
INSERT INTO hen VALUES (1, NULL);
INSERT INTO egg VALUES (1, 1);
UPDATE hen SET egg = 1;
ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg (id);
CREATE TABLE `{parent}` (
  id INT NOT NULL PRIMARY KEY, moved TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), updated_at DATETIME);
INSERT INTO `{parent}` (id) VALUES (1), (2), (3);
CREATE TABLE of_long (id INT NOT NULL PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES `{parent}` (id));
INSERT INTO of_long VALUES (1, 3), (2, NULL);
CREATE TABLE `empty` (id INT NOT NULL PRIMARY KEY, `key` VARCHAR(10));
CREATE TABLE no_snapshots (id INT NOT NULL PRIMARY KEY) ENGINE MyISAM;
INSERT INTO no_snapshots VALUES (1), (2);
CREATE TABLE tokens (token VARBINARY(8) NOT NULL PRIMARY KEY, n INT, moved TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6));
INSERT INTO tokens (token) VALUES (x'00FF'), (x'61'), (x'6120'), (x'');
CREATE TABLE kinds (id INT NOT NULL PRIMARY KEY, kind ENUM('50%', 'it''s', ':x', '?', 'a,b', '%s', 'c\\d', ' ') NOT NULL, `set` SET('a', 'b%'));
INSERT INTO kinds VALUES (1, '50%', 'a,b%'), (2, 'it''s', ''), (3, ':x', NULL), (4, '?', 'a'), (5, 'a,b', 'a'), (6, '%s', 'a'), (7, 'c\\d', 'a'), (8, ' ', 'a');
CREATE TABLE wide ({wide}, PRIMARY KEY (c0));
INSERT INTO wide (c0) VALUES (1), (-1), (0);
CREATE VIEW `a view` AS SELECT * FROM orders;
