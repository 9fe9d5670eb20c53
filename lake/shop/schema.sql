-- The demo shop, for MySQL 8.4 and MariaDB 11.4 alike: InnoDB, utf8mb4, instants in UTC with microseconds.
-- The collation is named because the servers' own defaults differ (utf8mb4_0900_ai_ci, utf8mb4_uca1400_ai_ci).
-- Statements end with a semicolon at the end of a line; parents stand before their children.

CREATE TABLE customers (
  customer_id           BIGINT UNSIGNED NOT NULL,
  email                 VARCHAR(255)    NOT NULL,
  first_name            VARCHAR(100)    NOT NULL,
  last_name             VARCHAR(100)    NOT NULL,
  phone                 VARCHAR(40)     NULL,
  street                VARCHAR(200)    NOT NULL,
  city                  VARCHAR(100)    NOT NULL,
  postcode              VARCHAR(20)     NOT NULL,
  country               CHAR(2)         NOT NULL,
  age_band              VARCHAR(40)     NULL,
  income_band           VARCHAR(40)     NULL,
  home_ownership        VARCHAR(40)     NULL,
  marital_status        VARCHAR(40)     NULL,
  household_size        VARCHAR(40)     NULL,
  household_composition VARCHAR(40)     NULL,
  kids_count            VARCHAR(40)     NULL,
  is_marketing_opt_in   TINYINT(1)      NOT NULL,
  preferences           JSON            NULL,
  created_at            DATETIME(6)     NOT NULL,
  updated_at            DATETIME(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (customer_id),
  UNIQUE KEY customers_email (email),
  KEY customers_updated_at (updated_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE categories (
  category_id   INT UNSIGNED NOT NULL,
  department    VARCHAR(100) NOT NULL,
  category_name VARCHAR(150) NOT NULL,
  created_at    DATETIME(6)  NOT NULL,
  updated_at    DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (category_id),
  KEY categories_updated_at (updated_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE products (
  product_id      BIGINT UNSIGNED NOT NULL,
  product_name    VARCHAR(200)    NOT NULL,
  category_id     INT UNSIGNED    NOT NULL,
  manufacturer_id INT UNSIGNED    NULL,
  brand           ENUM('National','Private') NULL,
  product_type    VARCHAR(150)    NULL,
  package_size    VARCHAR(60)     NULL,
  list_price      DECIMAL(10,2)   NOT NULL,
  unit_cost       DECIMAL(10,4)   NULL,
  attributes      JSON            NULL,
  is_active       TINYINT(1)      NOT NULL,
  created_at      DATETIME(6)     NOT NULL,
  updated_at      DATETIME(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (product_id),
  KEY products_category_id (category_id),
  KEY products_updated_at (updated_at),
  CONSTRAINT products_category FOREIGN KEY (category_id) REFERENCES categories (category_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE stores (
  store_id   INT UNSIGNED NOT NULL,
  store_name VARCHAR(100) NOT NULL,
  city       VARCHAR(100) NOT NULL,
  region     VARCHAR(60)  NOT NULL,
  opened_on  DATE         NOT NULL,
  created_at DATETIME(6)  NOT NULL,
  updated_at DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (store_id),
  KEY stores_updated_at (updated_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The comment tells a finished load from an interrupted one; lake/shop/load.py changes it as its last act.
CREATE TABLE orders (
  order_id     BIGINT UNSIGNED NOT NULL,
  customer_id  BIGINT UNSIGNED NULL,
  store_id     INT UNSIGNED    NOT NULL,
  status       ENUM('placed','paid','shipped','delivered','cancelled') NOT NULL,
  channel      ENUM('store','web') NOT NULL,
  currency     CHAR(3)         NOT NULL,
  total_amount DECIMAL(12,2)   NOT NULL,
  ordered_at   DATETIME(6)     NOT NULL,
  cancelled_at DATETIME(6)     NULL,
  created_at   DATETIME(6)     NOT NULL,
  updated_at   DATETIME(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (order_id),
  KEY orders_customer_id (customer_id),
  KEY orders_store_id (store_id),
  KEY orders_status (status),
  KEY orders_ordered_at (ordered_at),
  KEY orders_updated_at (updated_at),
  CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (customer_id),
  CONSTRAINT orders_store FOREIGN KEY (store_id) REFERENCES stores (store_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='shoplake demo: loading';

CREATE TABLE order_items (
  order_item_id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  order_id              BIGINT UNSIGNED NOT NULL,
  product_id            BIGINT UNSIGNED NOT NULL,
  quantity              INT             NOT NULL,
  sales_value           DECIMAL(12,2)   NOT NULL,
  retail_discount       DECIMAL(12,2)   NOT NULL,
  coupon_discount       DECIMAL(12,2)   NOT NULL,
  coupon_match_discount DECIMAL(12,2)   NOT NULL,
  unit_cost             DECIMAL(10,4)   NULL,
  created_at            DATETIME(6)     NOT NULL,
  updated_at            DATETIME(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (order_item_id),
  KEY order_items_order_id (order_id),
  KEY order_items_product_id (product_id),
  KEY order_items_updated_at (updated_at),
  CONSTRAINT order_items_order FOREIGN KEY (order_id) REFERENCES orders (order_id),
  CONSTRAINT order_items_product FOREIGN KEY (product_id) REFERENCES products (product_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE campaigns (
  campaign_id   INT UNSIGNED NOT NULL,
  campaign_type VARCHAR(20)  NOT NULL,
  starts_on     DATE         NOT NULL,
  ends_on       DATE         NOT NULL,
  created_at    DATETIME(6)  NOT NULL,
  updated_at    DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (campaign_id),
  KEY campaigns_updated_at (updated_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE campaign_customers (
  campaign_id INT UNSIGNED    NOT NULL,
  customer_id BIGINT UNSIGNED NOT NULL,
  created_at  DATETIME(6)     NOT NULL,
  updated_at  DATETIME(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (campaign_id, customer_id),
  KEY campaign_customers_customer_id (customer_id),
  KEY campaign_customers_updated_at (updated_at),
  CONSTRAINT campaign_customers_campaign FOREIGN KEY (campaign_id) REFERENCES campaigns (campaign_id),
  CONSTRAINT campaign_customers_customer FOREIGN KEY (customer_id) REFERENCES customers (customer_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE coupons (
  coupon_upc  BIGINT UNSIGNED NOT NULL,
  product_id  BIGINT UNSIGNED NOT NULL,
  campaign_id INT UNSIGNED    NOT NULL,
  created_at  DATETIME(6)     NOT NULL,
  updated_at  DATETIME(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (coupon_upc, product_id, campaign_id),
  KEY coupons_product_id (product_id),
  KEY coupons_campaign_id (campaign_id),
  KEY coupons_updated_at (updated_at),
  CONSTRAINT coupons_product FOREIGN KEY (product_id) REFERENCES products (product_id),
  CONSTRAINT coupons_campaign FOREIGN KEY (campaign_id) REFERENCES campaigns (campaign_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE coupon_redemptions (
  redemption_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  customer_id   BIGINT UNSIGNED NULL,
  coupon_upc    BIGINT UNSIGNED NOT NULL,
  campaign_id   INT UNSIGNED    NOT NULL,
  redeemed_on   DATE            NOT NULL,
  created_at    DATETIME(6)     NOT NULL,
  updated_at    DATETIME(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (redemption_id),
  KEY coupon_redemptions_customer_id (customer_id),
  KEY coupon_redemptions_campaign_id (campaign_id),
  KEY coupon_redemptions_updated_at (updated_at),
  CONSTRAINT coupon_redemptions_customer FOREIGN KEY (customer_id) REFERENCES customers (customer_id),
  CONSTRAINT coupon_redemptions_campaign FOREIGN KEY (campaign_id) REFERENCES campaigns (campaign_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE payments (
  payment_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  order_id   BIGINT UNSIGNED NOT NULL,
  method     ENUM('card','cash','paypal','voucher') NOT NULL,
  status     ENUM('authorised','captured','refunded','failed') NOT NULL,
  failure    ENUM('declined','insufficient_funds','card_expired','timeout') NULL,
  amount     DECIMAL(12,2)   NOT NULL,
  paid_at    DATETIME(6)     NOT NULL,
  created_at DATETIME(6)     NOT NULL,
  updated_at DATETIME(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (payment_id),
  KEY payments_order_id (order_id),
  KEY payments_updated_at (updated_at),
  CONSTRAINT payments_order FOREIGN KEY (order_id) REFERENCES orders (order_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Goods that came back. The line is named without a foreign key: it may be taken out of its order afterwards.
CREATE TABLE refunds (
  refund_id     BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  order_id      BIGINT UNSIGNED NOT NULL,
  order_item_id BIGINT UNSIGNED NOT NULL,
  quantity      INT             NOT NULL,
  amount        DECIMAL(12,2)   NOT NULL,
  reason        ENUM('damaged','late','wrong_item','not_as_described','changed_mind') NOT NULL,
  refunded_at   DATETIME(6)     NOT NULL,
  created_at    DATETIME(6)     NOT NULL,
  updated_at    DATETIME(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (refund_id),
  KEY refunds_order_id (order_id),
  KEY refunds_updated_at (updated_at),
  CONSTRAINT refunds_order FOREIGN KEY (order_id) REFERENCES orders (order_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE shipments (
  shipment_id  BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  order_id     BIGINT UNSIGNED NOT NULL,
  carrier      VARCHAR(40)     NOT NULL,
  status       ENUM('pending','shipped','delivered','lost') NOT NULL,
  shipped_at   DATETIME(6)     NULL,
  promised_at  DATETIME(6)     NOT NULL,
  delivered_at DATETIME(6)     NULL,
  created_at   DATETIME(6)     NOT NULL,
  updated_at   DATETIME(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (shipment_id),
  KEY shipments_order_id (order_id),
  KEY shipments_updated_at (updated_at),
  CONSTRAINT shipments_order FOREIGN KEY (order_id) REFERENCES orders (order_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE inventory (
  product_id       BIGINT UNSIGNED NOT NULL,
  quantity_on_hand INT             NOT NULL,
  reorder_level    INT             NOT NULL,
  counted_at       DATETIME(6)     NOT NULL,
  created_at       DATETIME(6)     NOT NULL,
  updated_at       DATETIME(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (product_id),
  KEY inventory_updated_at (updated_at),
  CONSTRAINT inventory_product FOREIGN KEY (product_id) REFERENCES products (product_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE reviews (
  review_id   BIGINT UNSIGNED  NOT NULL AUTO_INCREMENT,
  product_id  BIGINT UNSIGNED  NOT NULL,
  customer_id BIGINT UNSIGNED  NULL,
  rating      TINYINT UNSIGNED NOT NULL,
  title       VARCHAR(200)     NOT NULL,
  body        TEXT             NULL,
  created_at  DATETIME(6)      NOT NULL,
  updated_at  DATETIME(6)      NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (review_id),
  KEY reviews_product_id (product_id),
  KEY reviews_customer_id (customer_id),
  KEY reviews_updated_at (updated_at),
  CONSTRAINT reviews_product FOREIGN KEY (product_id) REFERENCES products (product_id),
  CONSTRAINT reviews_customer FOREIGN KEY (customer_id) REFERENCES customers (customer_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Events as the browser sends them, now and then late or twice. The order is named without a foreign key, for the speed.
CREATE TABLE clickstream (
  event_id    BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  session_id  CHAR(36)        NOT NULL,
  customer_id BIGINT UNSIGNED NULL,
  product_id  BIGINT UNSIGNED NULL,
  order_id    BIGINT UNSIGNED NULL,
  event_type  ENUM('view','search','add_to_cart','checkout','order') NOT NULL,
  occurred_at DATETIME(6)     NOT NULL,
  properties  JSON            NULL,
  created_at  DATETIME(6)     NOT NULL,
  updated_at  DATETIME(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (event_id),
  KEY clickstream_customer_id (customer_id),
  KEY clickstream_product_id (product_id),
  KEY clickstream_updated_at (updated_at),
  CONSTRAINT clickstream_product FOREIGN KEY (product_id) REFERENCES products (product_id),
  CONSTRAINT clickstream_customer FOREIGN KEY (customer_id) REFERENCES customers (customer_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
